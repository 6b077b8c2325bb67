/**
 * The custom resource that fills a Grafana, and the schedule that tries again. A deployment never fails by it: what could not be put there is
 * remembered in the store, told as a metric that an alarm watches, and tried again until it is there. Secrets are in no answer and no log.
 */
import { empty, type Filled, fill } from '../../lib/adapters/grafana/filling.ts';
import { GrafanaApi, type GrafanaApiOptions } from '../../lib/adapters/grafana/grafana-api.ts';
import { CLOUDWATCH_DIMENSION, PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import {
  GRAFANA_PREFIX_PATTERN,
  type GrafanaSettings,
  type GrafanaState,
  type PublishedDashboard,
} from '../../lib/contracts/grafana.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { ProblemError, shown } from '../../lib/contracts/problem.ts';
import { type Clock, ConflictError, type ObjectStore } from '../../lib/pipeline/ports.ts';
import { answer, type CustomResourceAnswer, type CustomResourceEvent, type PutAnswer } from '../cloud-formation.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import { failureFields, type Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';
import { deleteAccount, isGone, type WorkspaceParts, withWorkspaceToken } from './workspace.ts';

export interface GrafanaParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly environment: string;
  /** Of the region of the workspace. */
  readonly workspaces: (region: string) => WorkspaceParts['client'];
  /** Text of a secret by its ARN. */
  readonly secret: (arn: string) => Promise<string>;
  /** Lines of the asset. */
  readonly lines: (asset: { readonly bucket: string; readonly key: string }) => AsyncIterable<string>;
  readonly put: PutAnswer;
  readonly log: Log;
  /** For tests that wait for nothing. @default those of the client */
  readonly api?: Pick<GrafanaApiOptions, 'attemptMs' | 'attempts' | 'firstWaitMs' | 'fetch'>;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

/** For the last requests, and the answer: milliseconds; of a function with little time in all, a quarter of it. */
const RESERVE_MS = 30_000;
/** Another run writes in between at most so often. */
const ROUNDS = 5;

interface Work {
  readonly parts: GrafanaParts;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly requestId: string;
}

/** @returns nothing for CloudFormation; the schedule throws nothing either, since the metric tells */
export function grafanaHandler(
  parts: GrafanaParts,
): (event: CustomResourceEvent | Readonly<Record<string, unknown>>, context: InvocationContext) => Promise<void> {
  return async (event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const all = context.getRemainingTimeInMillis();
    const end = new AbortController();
    // Requests end in time, so that the token is deleted and the answer given.
    const timer = setTimeout(() => end.abort(), Math.max(0, all - Math.min(RESERVE_MS, all / 4)));
    const work: Work = { parts, log, signal: end.signal, requestId: context.awsRequestId };
    try {
      if (!isCustomResource(event)) {
        await tryAgain(work);
        return;
      }
      const given = await (event.RequestType === 'Delete' ? takeAway(event, work) : ask(event, work));
      log.info('answered', { request: event.RequestType, status: given.status, ...given.data });
      await answer(event, given, parts);
    } finally {
      clearTimeout(timer);
    }
  };
}

function isCustomResource(event: object): event is CustomResourceEvent {
  return 'RequestType' in event && 'ResponseURL' in event;
}

/** Always a success for CloudFormation: a stack is not rolled back for its dashboards. */
async function ask(event: CustomResourceEvent, work: Work): Promise<CustomResourceAnswer> {
  const settings = event.ResourceProperties as unknown as GrafanaSettings;
  const physicalId = physicalIdOf(settings);
  let filled: Filled | null = null;
  try {
    await remember(work, physicalId, settings);
    filled = await settle(work);
  } catch (error) {
    work.log.error('not in Grafana', failureFields(error));
  }
  tell(work, filled !== null);
  return {
    status: 'SUCCESS',
    physicalId,
    data: { IsThere: String(filled !== null), Dashboards: String(filled?.dashboards ?? 0) },
  };
}

/** What is left where a Grafana cannot be reached is named in the log; the stack goes all the same. */
async function takeAway(event: CustomResourceEvent, work: Work): Promise<CustomResourceAnswer> {
  const { parts, log } = work;
  const physicalId = event.PhysicalResourceId ?? '';
  const settings = event.ResourceProperties as unknown as GrafanaSettings;
  // What never came to be may have any properties, and nothing in Grafana.
  if (physicalId !== physicalIdOf(settings)) return { status: 'SUCCESS', physicalId };
  try {
    await forget(parts.store, physicalId);
    const { removed } = await withGrafana(work, settings, (api) => empty(api, settings));
    if (settings.WorkspaceId !== undefined) await deleteAccount(workspaceParts(work, settings, settings.WorkspaceId));
    log.info('removed from Grafana', { removed });
  } catch (error) {
    if (isGone(error)) log.info('there is no such workspace any more', {});
    else log.warn('not all could be removed from Grafana', { tag: settings.Owner, ...failureFields(error) });
  }
  return { status: 'SUCCESS', physicalId };
}

async function tryAgain(work: Work): Promise<void> {
  const found = await read(work.parts.store);
  if (found === null || found.state.isThere) {
    tell(work, true);
    return;
  }
  let isThere = true;
  try {
    const { dashboards, removed } = await settle(work);
    work.log.info('in Grafana at last', { dashboards, removed });
  } catch (error) {
    isThere = false;
    work.log.error('not in Grafana', failureFields(error));
  }
  tell(work, isThere);
}

/** Puts there what is asked for, again where another run asked for something else meanwhile. */
async function settle(work: Work): Promise<Filled> {
  const { store, clock } = work.parts;
  for (let round = 1; ; round++) {
    const found = await read(store);
    if (found === null) return { dashboards: 0, removed: 0 };
    const { state, etag } = found;
    const dashboards = await dashboardsOf(work.parts, state.settings);
    const filled = await withGrafana(work, state.settings, (api) => fill(api, state.settings, dashboards));
    try {
      await store.putIfUnchanged(keys.grafana(), encode({ ...state, isThere: true, at: time(clock) }), etag);
      return filled;
    } catch (error) {
      if (!(error instanceof ConflictError) || round >= ROUNDS) throw error;
    }
  }
}

async function withGrafana<T>(work: Work, settings: GrafanaSettings, use: (api: GrafanaApi) => Promise<T>): Promise<T> {
  const { parts, signal } = work;
  const api = (url: string, token: string) => new GrafanaApi({ ...parts.api, url, token, signal });
  check(settings);
  if (settings.WorkspaceId !== undefined)
    return withWorkspaceToken(workspaceParts(work, settings, settings.WorkspaceId), ({ url, token }) =>
      use(api(url, token)),
    );
  return use(api(settings.Url ?? '', (await parts.secret(settings.TokenSecretArn ?? '')).trim()));
}

function workspaceParts(
  { parts, log, requestId }: Work,
  settings: GrafanaSettings,
  workspaceId: string,
): WorkspaceParts {
  return {
    client: parts.workspaces(settings.WorkspaceRegion ?? settings.Region),
    workspaceId,
    account: `mlmon-${settings.Prefix}`,
    tokenName: `mlmon-${requestId}`,
    clock: parts.clock,
    log,
  };
}

/** Tokens of the CDK are only known here. */
function check({ Prefix, Url, WorkspaceId }: GrafanaSettings): void {
  const problems = [
    ...(typeof Prefix === 'string' && GRAFANA_PREFIX_PATTERN.test(Prefix)
      ? []
      : [
          {
            code: 'grafana-prefix',
            path: 'prefix',
            message: 'is no beginning of a uid',
            got: shown(Prefix),
            expected: 'at most 28 letters, digits, hyphens and underscores',
          },
        ]),
    ...(Url === undefined && WorkspaceId === undefined
      ? [
          {
            code: 'grafana-target',
            path: 'Grafana',
            message: 'neither a workspace nor an address is given',
            fix: 'deploy again with the constructs of the release that the function came with',
          },
        ]
      : []),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
}

async function dashboardsOf({ lines }: GrafanaParts, settings: GrafanaSettings): Promise<PublishedDashboard[]> {
  const found: PublishedDashboard[] = [];
  for await (const line of lines({ bucket: settings.AssetBucket, key: settings.AssetKey }))
    found.push(JSON.parse(line) as PublishedDashboard);
  return found;
}

async function remember({ parts: { store, clock } }: Work, resource: string, settings: GrafanaSettings): Promise<void> {
  const { ServiceToken: _, ...rest } = settings as GrafanaSettings & { readonly ServiceToken?: string };
  const state: GrafanaState = {
    schema: 'mlmon.grafana/v1',
    resource,
    settings: rest,
    isThere: false,
    at: time(clock),
  };
  for (let round = 1; ; round++) {
    const found = await read(store);
    try {
      if (found === null) await store.putIfAbsent(keys.grafana(), encode(state));
      else await store.putIfUnchanged(keys.grafana(), encode(state), found.etag);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || round >= ROUNDS) throw error;
    }
  }
}

/** Unless another resource has asked since: CloudFormation deletes the old one after the new one was made. */
async function forget(store: ObjectStore, resource: string): Promise<void> {
  const found = await read(store);
  if (found?.state.resource === resource) await store.delete(keys.grafana());
}

async function read(store: ObjectStore): Promise<{ readonly state: GrafanaState; readonly etag: string } | null> {
  const found = await store.get(keys.grafana());
  if (found === null) return null;
  return { state: JSON.parse(new TextDecoder().decode(found.body)) as GrafanaState, etag: found.etag };
}

function encode(state: GrafanaState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}

function tell({ parts }: Work, isThere: boolean): void {
  const { environment, clock, write } = parts;
  const metric = PLATFORM_CLOUDWATCH_METRIC.grafanaFailures;
  writeMetrics([{ metric, value: isThere ? 0 : 1, of: { [CLOUDWATCH_DIMENSION.function]: 'grafana' } }], {
    environment,
    now: clock.now(),
    write,
  });
}

function time(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Another Grafana, or another prefix in it, is another resource: CloudFormation then removes what the former one put there. */
function physicalIdOf({ WorkspaceId, Url, Prefix }: GrafanaSettings): string {
  return `grafana:${String(WorkspaceId ?? Url)}:${String(Prefix)}`;
}
