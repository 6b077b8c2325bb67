/**
 * The custom resource that publishes monitors, baselines and the alerting configuration. It answers always: with all that is wrong, or, shortly
 * before its time is over, with how far it came. Publishing the same again changes nothing, so CloudFormation may repeat itself.
 */
import { noun } from '../../lib/contracts/noun.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import type { PublicationProperties } from '../../lib/contracts/publication.ts';
import type { PolicyKey } from '../../lib/pipeline/field-policy.ts';
import type { Clock, ObjectStore } from '../../lib/pipeline/ports.ts';
import { type PublicationOutcome, publish, unpublish } from '../../lib/pipeline/publication.ts';
import { answer, type CustomResourceAnswer, type CustomResourceEvent, type PutAnswer } from '../cloud-formation.ts';
import { failureFields, type Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';

export interface PublisherParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Lines of the asset, from its beginning each time. */
  readonly lines: (asset: { readonly bucket: string; readonly key: string }) => AsyncIterable<string>;
  readonly policyKey: () => Promise<PolicyKey | null>;
  readonly put: PutAnswer;
  readonly log: Log;
  readonly firstWaitMs?: number;
}

/** For the answer, milliseconds; of a function with little time in all, a quarter of it. */
const RESERVE_MS = 15_000;

export function publisherHandler(
  parts: PublisherParts,
): (event: CustomResourceEvent, context: InvocationContext) => Promise<void> {
  return async (event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const all = context.getRemainingTimeInMillis();
    const reserve = Math.min(RESERVE_MS, all / 4);
    const isLate = (): boolean => context.getRemainingTimeInMillis() < reserve;
    const physicalId = physicalIdOf(event);
    let timer: NodeJS.Timeout | undefined;
    // Work that hangs must not keep the answer from being given.
    const late = new Promise<CustomResourceAnswer>((resolve) => {
      timer = setTimeout(
        () => resolve({ status: 'FAILED', physicalId, reason: UNFINISHED }),
        Math.max(0, all - reserve / 2),
      );
    });
    const given = await Promise.race([work(event, { parts, log, physicalId, isLate }), late]);
    clearTimeout(timer);
    log.info('answered', { request: event.RequestType, status: given.status });
    await answer(event, given, parts);
  };
}

const UNFINISHED =
  'there was not enough time; what was published stays, and the same deployment again goes on from there: deploy again, or raise the timeout of the publisher';

/** Never rejects. */
async function work(
  event: CustomResourceEvent,
  {
    parts,
    log,
    physicalId,
    isLate,
  }: {
    readonly parts: PublisherParts;
    readonly log: Log;
    readonly physicalId: string;
    readonly isLate: () => boolean;
  },
): Promise<CustomResourceAnswer> {
  try {
    const outcome = await (event.RequestType === 'Delete'
      ? removeAll(event, parts, isLate)
      : publishAll(event, parts, isLate));
    log.info('published', { ...outcome });
    if (outcome.unfinished > 0)
      return {
        status: 'FAILED',
        physicalId,
        reason: `${UNFINISHED} (${outcome.unfinished} ${noun(outcome.unfinished, 'model is', 'models are')} left)`,
      };
    const { models, published, removed } = outcome;
    return {
      status: 'SUCCESS',
      physicalId,
      data: { Models: String(models), Published: String(published), Removed: String(removed) },
    };
  } catch (error) {
    log.error('not published', failureFields(error));
    if (event.RequestType === 'Delete' && isGone(error)) return { status: 'SUCCESS', physicalId };
    const reason = error instanceof Error ? error.message : String(error);
    return {
      status: 'FAILED',
      physicalId,
      reason: error instanceof ProblemError ? `nothing was published:\n${reason}` : reason,
    };
  }
}

async function publishAll(
  event: CustomResourceEvent,
  parts: PublisherParts,
  isLate: () => boolean,
): Promise<PublicationOutcome> {
  const { AssetBucket, AssetKey, Owner, Alerting, Channels, Bindings } = propertiesOf(event.ResourceProperties);
  const former = event.RequestType === 'Update' ? event.OldResourceProperties?.['Owner'] : undefined;
  const { store, clock } = parts;
  return publish(
    { store, clock, policyKey: await parts.policyKey() },
    {
      owner: Owner,
      formerOwner: typeof former === 'string' ? former : undefined,
      lines: () => parts.lines({ bucket: AssetBucket, key: AssetKey }),
      alerting: Alerting,
      channels: Channels,
      bindings: Bindings,
      isLate,
    },
  );
}

/** The physical id says whose models: properties of a resource that never came to be may be anything. */
function removeAll(
  event: CustomResourceEvent,
  parts: PublisherParts,
  isLate: () => boolean,
): Promise<PublicationOutcome> {
  const { store, clock } = parts;
  const owner = ownerOf(event.PhysicalResourceId ?? '');
  if (owner === null) return Promise.resolve({ models: 0, published: 0, removed: 0, unfinished: 0 });
  return unpublish({ store, clock }, owner, isLate);
}

const PREFIX = 'publication:';

/** The same for the same owner; another owner is another resource, so that CloudFormation removes what the former one had. */
function physicalIdOf(event: CustomResourceEvent): string {
  if (event.RequestType === 'Delete') return event.PhysicalResourceId ?? PREFIX;
  const owner = event.ResourceProperties['Owner'];
  return `${PREFIX}${typeof owner === 'string' ? owner : ''}`;
}

function ownerOf(physicalId: string): string | null {
  return physicalId.startsWith(PREFIX) && physicalId.length > PREFIX.length ? physicalId.slice(PREFIX.length) : null;
}

function propertiesOf(given: Readonly<Record<string, unknown>>): Omit<PublicationProperties, 'ServiceToken'> {
  const problems = (['AssetBucket', 'AssetKey', 'Owner'] as const)
    .filter((name) => typeof given[name] !== 'string' || given[name] === '')
    .map((name) => ({
      code: 'missing',
      path: name,
      message: 'is required',
      fix: 'deploy again with the constructs of the release that the function came with',
    }));
  if (problems.length > 0) throw new ProblemError(problems);
  const optional = (name: string): string | undefined => {
    const value = given[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    AssetBucket: String(given['AssetBucket']),
    AssetKey: String(given['AssetKey']),
    Owner: String(given['Owner']),
    Alerting: optional('Alerting'),
    Channels: optional('Channels'),
    Bindings: optional('Bindings'),
  };
}

/** The bucket was deleted before: there is nothing to remove. */
function isGone(error: unknown): boolean {
  const names = [error, error instanceof Error ? error.cause : undefined].map(
    (one) => (one as Error | undefined)?.name,
  );
  return names.includes('NoSuchBucket');
}
