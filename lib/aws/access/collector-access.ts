import { Token } from 'aws-cdk-lib';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type { FunctionEnvironment } from '../../contracts/functions.ts';
import { type Problem, ProblemError, shown } from '../../contracts/problem.ts';

/** Whose tokens are believed. */
export interface JwtAccess {
  /** `iss` of the tokens; its keys are found under `/.well-known/openid-configuration` of it. */
  readonly issuer: string;
  /** One of them must be `aud` or `client_id` of a token. */
  readonly audience: readonly string[];
}

/** How senders prove who they are; what each may send is granted apart (`grants`). */
export class CollectorAccess {
  /** Requests signed with AWS credentials, to a Function URL. */
  static iam(): CollectorAccess {
    return new CollectorAccess('iam');
  }

  /** Tokens of an identity provider, to an HTTP API. @throws ProblemError for an issuer or an audience that no token could have */
  static jwt(jwt: JwtAccess): CollectorAccess {
    const { issuer, audience } = jwt;
    const problems: Problem[] = [];
    if (!Token.isUnresolved(issuer) && !/^https:\/\/[^\s/]/.test(issuer))
      problems.push({
        code: 'issuer',
        path: 'access.issuer',
        message: 'is no issuer of tokens',
        got: shown(issuer),
        expected: 'https://…, as `iss` of the tokens has it',
      });
    if (!Token.isUnresolved(audience) && audience.length === 0)
      problems.push({
        code: 'audience',
        path: 'access.audience',
        message: 'is empty, so no token would be for this collector',
        expected: 'what `aud` or `client_id` of the tokens is',
      });
    if (problems.length > 0) throw new ProblemError(problems);
    return new CollectorAccess('jwt', { jwt });
  }

  /** Keys whose digests the secret holds, to an HTTP API with an authorizer. */
  static keys(secret: secrets.ISecret): CollectorAccess {
    return new CollectorAccess('keys', { keys: secret });
  }

  /** None but KServe's logger, by its secret path. */
  static kserveOnly(): CollectorAccess {
    return new CollectorAccess('path-secret');
  }

  readonly auth: FunctionEnvironment<'collector'>['MLMON_AUTH'];
  readonly jwt: JwtAccess | undefined;
  readonly keys: secrets.ISecret | undefined;

  private constructor(
    auth: CollectorAccess['auth'],
    more: { readonly jwt?: JwtAccess; readonly keys?: secrets.ISecret } = {},
  ) {
    this.auth = auth;
    this.jwt = more.jwt;
    this.keys = more.keys;
  }
}
