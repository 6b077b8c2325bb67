/** Whether the sender of a request has a key; its id goes on to the collector, which knows what it may send. */
import { failureFields, type Log } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import { identify, parseKeys } from './known-keys.ts';

/** What is read of the authorizer event of an HTTP API, payload 2.0. */
export interface AuthorizerEvent {
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly requestId: string };
}

/** Simple response. It depends on the header alone, so the interface may remember it by that. */
export interface AuthorizerAnswer {
  readonly isAuthorized: boolean;
  readonly context: { readonly key: string };
}

/** A key that is not known makes the secret be read again, at most this often: somebody who guesses must not drive up calls. */
const ASK_AGAIN_MS = 10_000;

export function authorizerHandler(options: {
  readonly secrets: Secrets;
  readonly arn: string;
  readonly log: Log;
}): (event: AuthorizerEvent) => Promise<AuthorizerAnswer> {
  const { secrets, arn } = options;
  return async ({ headers, requestContext }) => {
    const log = options.log.for(requestContext.requestId);
    const authorization = headers?.['authorization'];
    try {
      const id =
        identify(parseKeys(await secrets.text(arn), arn), authorization) ??
        identify(parseKeys(await secrets.text(arn, { notOlderThanMs: ASK_AGAIN_MS }), arn), authorization);
      if (id === null) log.info('no known key');
      return { isAuthorized: id !== null, context: { key: id ?? '' } };
    } catch (error) {
      log.error('the keys could not be read', failureFields(error));
      // An answer would be remembered; a failure is not.
      throw error;
    }
  };
}
