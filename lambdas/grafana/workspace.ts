/**
 * A workspace of Managed Grafana, and a token for its API that lives as long as one use of it: a quarter of an hour at most, and deleted when the
 * use ends, however it ends. The service account stays: each new one would be billed as another user.
 */
import {
  CreateWorkspaceServiceAccountCommand,
  CreateWorkspaceServiceAccountTokenCommand,
  DeleteWorkspaceServiceAccountCommand,
  DeleteWorkspaceServiceAccountTokenCommand,
  DescribeWorkspaceCommand,
  type GrafanaClient,
  ListWorkspaceServiceAccountsCommand,
  ListWorkspaceServiceAccountTokensCommand,
} from '@aws-sdk/client-grafana';
import { portError } from '../../lib/adapters/aws-error.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { failureFields, type Log } from '../log.ts';

export interface WorkspaceParts {
  readonly client: Pick<GrafanaClient, 'send'>;
  readonly workspaceId: string;
  /** Of the service account: one for each platform. */
  readonly account: string;
  /** Unique: a token of an earlier run may still be there. */
  readonly tokenName: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface WorkspaceAccess {
  readonly url: string;
  readonly token: string;
}

/** A use takes at most as long as the function may run. */
export const TOKEN_SECONDS = 900;

/** @throws Error when the workspace is gone (`ResourceNotFoundException`), not ready, or does not let us in */
export async function withWorkspaceToken<T>(
  parts: WorkspaceParts,
  use: (access: WorkspaceAccess) => Promise<T>,
): Promise<T> {
  const { client, workspaceId, log, tokenName } = parts;
  const url = await asked(`workspace ${workspaceId}`, () => addressOf(parts));
  const serviceAccountId = await asked(`service account ${parts.account}`, () => accountOf(parts));
  await removeExpired(parts, serviceAccountId);
  const { id, key } = await asked(`token ${tokenName}`, async () => {
    const { serviceAccountToken } = await client.send(
      new CreateWorkspaceServiceAccountTokenCommand({
        workspaceId,
        serviceAccountId,
        name: tokenName,
        secondsToLive: TOKEN_SECONDS,
      }),
    );
    return { id: serviceAccountToken?.id, key: serviceAccountToken?.key };
  });
  try {
    if (key === undefined) throw new Error(`token ${tokenName}: was made without a key`);
    return await use({ url, token: key });
  } finally {
    try {
      await client.send(
        new DeleteWorkspaceServiceAccountTokenCommand({ workspaceId, serviceAccountId, tokenId: id ?? tokenName }),
      );
    } catch (error) {
      log.warn('a token could not be deleted; it ends by itself', { seconds: TOKEN_SECONDS, ...failureFields(error) });
    }
  }
}

/** With what the account made: nobody can come in by it any more. */
export async function deleteAccount(parts: WorkspaceParts): Promise<void> {
  const serviceAccountId = await findAccount(parts);
  if (serviceAccountId !== null)
    await parts.client.send(
      new DeleteWorkspaceServiceAccountCommand({ workspaceId: parts.workspaceId, serviceAccountId }),
    );
}

async function addressOf({ client, workspaceId }: WorkspaceParts): Promise<string> {
  const { workspace } = await client.send(new DescribeWorkspaceCommand({ workspaceId }));
  if (workspace?.status !== 'ACTIVE' || workspace.endpoint === undefined)
    throw new Error(`workspace ${workspaceId}: is ${workspace?.status ?? 'without a state'}; expected ACTIVE`);
  // A host name alone.
  return `https://${workspace.endpoint}`;
}

async function accountOf(parts: WorkspaceParts): Promise<string> {
  const found = await findAccount(parts);
  if (found !== null) return found;
  const { client, workspaceId, account } = parts;
  const { id } = await client.send(
    // Data sources are for Admins alone.
    new CreateWorkspaceServiceAccountCommand({ workspaceId, name: account, grafanaRole: 'ADMIN' }),
  );
  if (id === undefined) throw new Error(`service account ${account}: was made without an id`);
  return id;
}

async function findAccount({ client, workspaceId, account }: WorkspaceParts): Promise<string | null> {
  for (let nextToken: string | undefined; ; ) {
    const page = await client.send(new ListWorkspaceServiceAccountsCommand({ workspaceId, nextToken }));
    const found = page.serviceAccounts?.find(({ name }) => name === account)?.id;
    if (found !== undefined) return found;
    nextToken = page.nextToken;
    if (nextToken === undefined) return null;
  }
}

/** Of runs that were cut off. One that is valid still may be of a run beside this one. */
async function removeExpired({ client, workspaceId, clock, log }: WorkspaceParts, serviceAccountId: string) {
  try {
    for (let nextToken: string | undefined; ; ) {
      const page = await client.send(
        new ListWorkspaceServiceAccountTokensCommand({ workspaceId, serviceAccountId, nextToken }),
      );
      for (const { id: tokenId, expiresAt } of page.serviceAccountTokens ?? [])
        if (expiresAt !== undefined && expiresAt.getTime() < clock.now())
          await client.send(new DeleteWorkspaceServiceAccountTokenCommand({ workspaceId, serviceAccountId, tokenId }));
      nextToken = page.nextToken;
      if (nextToken === undefined) return;
    }
  } catch (error) {
    log.warn('tokens that ended could not be removed; they let nobody in', failureFields(error));
  }
}

async function asked<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw portError(what, error, 'the dashboards stay as they are; they are put there at the next try');
  }
}

/** The workspace was deleted before, or the account in it. */
export function isGone(error: unknown): boolean {
  const chain = [error, error instanceof Error ? error.cause : undefined];
  return chain.some((one) => (one as Error | undefined)?.name === 'ResourceNotFoundException');
}
