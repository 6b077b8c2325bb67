import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type { FunctionEnvironment } from '../../contracts/functions.ts';

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

  /** Tokens of an identity provider, to an HTTP API. */
  static jwt(jwt: JwtAccess): CollectorAccess {
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
