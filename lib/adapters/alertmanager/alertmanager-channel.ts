/**
 * Episodes as alerts of Alertmanager, which then groups, inhibits, silences and routes them. A channel of state: Alertmanager forgets what it
 * is not told again, so everything open is posted again and again, with an end a few intervals ahead; if we stop, it ends there by itself, and
 * that we stopped is an alert of Prometheus.
 */
import { dashboardBase } from '../../contracts/dashboards.ts';
import type { Transition } from '../../contracts/episode.ts';
import { episodeDashboard } from '../../contracts/episode-dashboard.ts';
import type { AlertChannel, Clock } from '../../pipeline/ports.ts';
import { cut, isAbsoluteUrl, isOver, plainText, wordsOf } from '../transition-text.ts';
import { type AlertmanagerAccess, type PostedAlert, postAlerts } from './alertmanager-client.ts';

export interface AlertmanagerOptions extends AlertmanagerAccess {
  readonly name?: string;
  /** Of every member of the cluster, since they share what was sent and not what is open: `http://alertmanager-0:9093`. */
  readonly urls: readonly string[];
  /** Address of Grafana, for links to the dashboards. @default none */
  readonly dashboards?: string;
  /** Besides those of the episode, on every alert: `{ cluster: 'west' }`. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Real time. @default the wall clock */
  readonly wall?: Clock;
}

const RESTATE_MS = 60_000;
/** So many intervals may fail before an open alert ends at the receiver. */
const KEPT = 5;
/** Alerts in one request. */
const BATCH = 100;
const LONGEST_TEXT = 4_000;
const NAMES = {
  drift: 'MlmonDrift',
  quality: 'MlmonQuality',
  performance: 'MlmonPerformance',
  latency: 'MlmonLatency',
  volume: 'MlmonVolume',
  blind: 'MlmonBlind',
} as const;

export class AlertmanagerChannel implements AlertChannel {
  readonly name: string;
  /** Alertmanager groups by itself. */
  readonly records = true;
  readonly keepsState = true;
  readonly restateEveryMs = RESTATE_MS;
  readonly #options: AlertmanagerOptions;
  readonly #wall: Clock;

  constructor(options: AlertmanagerOptions) {
    this.name = options.name ?? 'alertmanager';
    this.#options = options;
    this.#wall = options.wall ?? { now: () => Date.now() };
  }

  async deliver(transition: Transition): Promise<void> {
    await this.#post([alertOf(transition, this.#wall.now(), this.#options)]);
  }

  async restate(open: readonly Transition[]): Promise<void> {
    const now = this.#wall.now();
    for (let i = 0; i < open.length; i += BATCH)
      await this.#post(open.slice(i, i + BATCH).map((one) => alertOf(one, now, this.#options)));
  }

  /** One member that has it is enough: the others are told at the next turn. */
  async #post(alerts: readonly PostedAlert[]): Promise<void> {
    const outcomes = await Promise.allSettled(this.#options.urls.map((url) => postAlerts(url, alerts, this.#options)));
    if (outcomes.some(({ status }) => status === 'fulfilled')) return;
    const failure = outcomes.find((one) => one.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }
}

/** `now`: real time, milliseconds. The same labels from the opening to the closing, whatever a revision changes. */
export function alertOf(
  transition: Transition,
  now: number,
  { dashboards, labels }: Pick<AlertmanagerOptions, 'dashboards' | 'labels'> = {},
): PostedAlert {
  const { episode, link, runbook } = transition;
  const over = isOver(transition);
  // Simulated time may lie ahead of the clock on the wall.
  const startsAt = Math.min(Date.parse(episode.opened), now - 1_000);
  return {
    labels: {
      ...labels,
      alertname: NAMES[episode.signal],
      model: episode.model,
      ...(episode.version === '' ? {} : { version: episode.version }),
      signal: episode.signal,
      severity: episode.severity,
      owner: episode.owner,
      notify: 'true',
    },
    annotations: {
      summary: wordsOf({ ...transition, kind: 'opened' }, false),
      description: cut(plainText({ ...transition, kind: 'opened' }, false), LONGEST_TEXT),
      episode: episode.id,
      ...(runbook === '' ? {} : { runbook_url: runbook }),
      ...(dashboards === undefined
        ? {}
        : { dashboard_url: episodeDashboard(episode, { base: dashboardBase(dashboards) }) }),
    },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(over ? now : now + KEPT * RESTATE_MS).toISOString(),
    ...(isAbsoluteUrl(link) ? { generatorURL: link } : {}),
  };
}
