/** Who sent a request, as the service in front of the function says it: never anything that the request says of itself. */
import type { FunctionEnvironment } from '../../lib/contracts/functions.ts';
import { HttpProblem } from '../../lib/contracts/http-problem.ts';
import type { HttpEvent } from '../http-event.ts';

export type CollectorAuth = FunctionEnvironment<'collector'>['MLMON_AUTH'];

/** @throws HttpProblem 401 when nobody vouches for the sender */
export function principalOf({ requestContext: { authorizer } }: HttpEvent, auth: CollectorAuth): string {
  const found = named(authorizer, auth);
  if (typeof found === 'string' && found !== '') return found;
  throw new HttpProblem(401, 'unauthenticated', `nobody vouches for the sender; expected ${EXPECTED[auth]}`);
}

const EXPECTED: Readonly<Record<CollectorAuth, string>> = {
  iam: 'a request signed with AWS credentials (SigV4)',
  jwt: 'a token of the issuer that the interface trusts: Authorization: Bearer <token>',
  keys: 'a known key: Authorization: Bearer <id>.<secret>',
  'path-secret': 'nothing: this collector takes events of KServe alone, under /v1/kserve/',
};

function named(authorizer: HttpEvent['requestContext']['authorizer'], auth: CollectorAuth): unknown {
  switch (auth) {
    case 'iam':
      return authorizer?.iam?.userArn;
    case 'jwt':
      // Machines that have no subject of their own are known by their client.
      return authorizer?.jwt?.claims?.['sub'] ?? authorizer?.jwt?.claims?.['client_id'];
    case 'keys':
      return authorizer?.lambda?.['key'];
    case 'path-secret':
      return undefined;
  }
}
