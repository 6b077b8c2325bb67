/** A platform that only pretends: serves the page and made-up answers. `npx tsx test/local/page/mock-server.ts demo 8788` to look at it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type {
  AlertsAnswer,
  AlertView,
  Demonstration,
  HealthAnswer,
  ModelAnswer,
  ModelSummary,
  ModelsAnswer,
  WindowsAnswer,
} from '../../../lib/contracts/api.ts';
import type { Silence } from '../../../lib/contracts/episode.ts';
import { VERDICTS } from '../../../lib/contracts/result.ts';
import { buildPage } from '../../../lib/local/page/build.ts';
import { SECURITY_HEADERS } from '../../../lib/local/server/security-headers.ts';
import {
  DAY,
  episodesOf,
  featureOf,
  flights,
  healthOf,
  INCIDENT,
  iso,
  modelOf,
  NASTY,
  type Plan,
  performanceOf,
  summaryOfPlan,
  windowsOf,
} from './mock-data.ts';

export const SCENARIOS = [
  'demo',
  'incident',
  'empty',
  'failing',
  'many',
  'wide',
  'hourly',
  'nasty',
  'token',
  'degraded',
  'learning',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface MockServer {
  readonly url: string;
  /** What was asked for, newest last: method, path, body. */
  readonly changes: { readonly method: string; readonly path: string; readonly body: unknown }[];
  /** Number of GET requests so far. */
  readonly asked: () => number;
  /** Answers 500 from now on, or no longer. */
  fail(on: boolean): void;
  /** Moves the platform's time on: only windows that end by then exist. */
  setNow(at: number): void;
  close(): Promise<void>;
}

const TOKEN = 'open-sesame';

export async function startMockServer(scenario: Scenario, port = 0): Promise<MockServer> {
  const page = await buildPage();
  const plan = planOf(scenario);
  const changes: MockServer['changes'] = [];
  const silences: Silence[] = [];
  let failing = scenario === 'failing';
  let asked = 0;
  let now = scenario === 'incident' ? INCIDENT.end : plan.to;
  let episodes = episodesOf(plan);
  let baselines: ModelAnswer['baselines'] | null = null;
  const cache = new Map<number, ReturnType<typeof windowsOf>>();

  const lengthOf = (text: string | null): number =>
    text === '7d' ? 7 * DAY : text === '1d' ? DAY : text === '1h' ? DAY / 24 : plan.every;
  const windows = (length: number): ReturnType<typeof windowsOf> => {
    let all = cache.get(length);
    if (all === undefined) cache.set(length, (all = windowsOf(plan, length)));
    return all.filter((window) => Date.parse(window.end) <= now);
  };
  const alerts = (): AlertView[] =>
    episodes
      .filter((episode) => Date.parse(episode.opened) <= now)
      .map((episode) => ({
        ...episode,
        ...(episode.closed !== null && Date.parse(episode.closed) > now
          ? { closed: null, state: 'open' as const }
          : {}),
        silenced: silences.some((silence) => silence.model === episode.model),
      }));
  const demonstration = (): Demonstration | undefined =>
    scenario === 'demo' || scenario === 'incident'
      ? {
          title: 'Demonstration: US flights of 2001, replayed',
          progress: (now - plan.from) / (plan.to - plan.from),
          state: now >= plan.to ? 'done' : 'replaying',
          message:
            now >= plan.to
              ? 'All five months have been replayed.'
              : 'Replaying February to June at 40,000 times real speed',
          incidents: [
            {
              start: iso(INCIDENT.start),
              end: iso(INCIDENT.end),
              description: 'a producer sends distance in kilometres and drops origin for 5 % of the events',
            },
          ],
        }
      : undefined;
  const health = healthOf(scenario === 'degraded' ? 'degraded' : 'ok');

  const models = (): ModelSummary[] => {
    if (scenario === 'empty') return [];
    const open = alerts().filter(({ state }) => state === 'open');
    const one = summaryOfPlan(plan, windows(plan.every), open);
    if (scenario === 'nasty')
      return NASTY.map((name, i) => ({
        ...one,
        model: i === 0 ? plan.model : name,
        owner: name,
        reason: name,
        openEpisodes: i === 0 ? open.length : 0,
      }));
    if (scenario !== 'many') return [one];
    return Array.from({ length: 1000 }, (_, i) => {
      const state = i % 7 === 3 ? (VERDICTS[Math.floor(i / 7) % VERDICTS.length] ?? 'ok') : 'ok';
      return {
        ...one,
        model: `model-${String(i).padStart(4, '0')}`,
        owner: `team-${i % 12}`,
        state,
        openEpisodes: state === 'drifted' ? 1 : 0,
        severity: state === 'drifted' ? ('warning' as const) : null,
        headline:
          i % 3 === 0 ? null : { metric: 'roc-auc', value: 0.7 + (i % 20) / 100, mature: i % 2 === 0, coverage: 0.9 },
        recentRows: one.recentRows.map((rows, j) => rows * (1 + 0.2 * Math.sin(i + j))),
      };
    });
  };

  const answer = (path: string, query: URLSearchParams): unknown => {
    const shownNow = iso(now + 7_200_000);
    if (path === '/api/models')
      return { now: shownNow, models: models(), health, demonstration: demonstration() } satisfies ModelsAnswer;
    if (path === '/api/health')
      return {
        now: shownNow,
        health,
        quarantine:
          scenario === 'degraded'
            ? [
                {
                  at: iso(now),
                  reason: 'schema',
                  detail: 'numeric.distance: expected a number, got "<b>740</b>"',
                  excerpt: '{"id":"f-1","numeric":{"distance":"<b>740</b>"}}',
                },
                {
                  at: iso(now - 60_000),
                  reason: 'json',
                  detail: 'line 3: unexpected end',
                  excerpt: '{"id":"f-2","type":"infer',
                },
                {
                  at: iso(now - 90_000),
                  reason: 'future',
                  detail: 'event time 2001-07-09T00:00:00.000Z',
                  excerpt: '{"id":"f-3"}',
                },
              ]
            : [],
      } satisfies HealthAnswer;
    if (path === '/api/alerts') {
      const [state, model] = [query.get('state'), query.get('model')];
      const found =
        scenario === 'empty'
          ? []
          : alerts().filter(
              (alert) => (state === null || alert.state === state) && (model === null || alert.model === model),
            );
      return { now: shownNow, alerts: found, silences } satisfies AlertsAnswer;
    }
    const parts = path.split('/').map(decodeURIComponent);
    if (parts[1] !== 'api' || parts[2] !== 'models' || parts[3] !== plan.model) return null;
    const length = lengthOf(query.get('length'));
    if (parts.length === 4) {
      const made = modelOf(plan, alerts(), windows(plan.every));
      return { ...made, now: shownNow, baselines: baselines ?? made.baselines, demonstration: demonstration() };
    }
    if (parts[4] === 'windows') {
      const until = Date.parse(query.get('to') ?? '') || Number.POSITIVE_INFINITY;
      const limit = Number(query.get('limit') ?? 200);
      const chosen = windows(length)
        .filter((window) => Date.parse(window.end) <= until)
        .slice(-limit);
      const first = Date.parse(chosen[0]?.start ?? '') || 0;
      const last = Date.parse(chosen.at(-1)?.end ?? '') || 0;
      const performance = performanceOf({ ...plan, to: Math.min(now, plan.to) }, length).filter(
        (view) => Date.parse(view.start) >= first && Date.parse(view.end) <= last,
      );
      return {
        now: shownNow,
        length: query.get('length') ?? '1d',
        windows: chosen,
        performance,
      } satisfies WindowsAnswer;
    }
    if (parts[4] === 'features' && parts[5] !== undefined)
      return featureOf(plan, parts[5], windows(length), query.get('start'));
    return null;
  };

  const apply = (path: string, body: Record<string, unknown>): boolean => {
    const parts = path.split('/').map(decodeURIComponent);
    if (parts[2] === 'alerts' && parts[4] === 'acknowledge') {
      episodes = episodes.map((episode) =>
        episode.id === parts[3]
          ? {
              ...episode,
              acknowledged: { by: String(body['by'] ?? 'somebody'), at: iso(now), note: String(body['note'] ?? '') },
            }
          : episode,
      );
      return true;
    }
    if (parts[2] === 'silences') {
      silences.push({
        id: `s-${silences.length}`,
        model: String(body['model']),
        signal: null,
        from: iso(now),
        until: iso(now + DAY),
        by: 'somebody',
        reason: String(body['reason']),
      });
      return true;
    }
    const known = baselines ?? modelOf(plan, [], []).baselines;
    if (parts[4] === 'baselines' && parts.length === 5) {
      baselines = [
        ...known,
        {
          version: '3',
          n: known.length + 1,
          rows: 48_000,
          source: `windows ${String(body['from'])} to ${String(body['to'])}`,
          effectiveFrom: null,
          approved: null,
          findings: ['fewer than 14 windows: provisional'],
        },
      ];
      return true;
    }
    if (parts[4] === 'baselines' && parts[6] === 'approve') {
      // As the platform does: nothing published is changed; the approved one is published again.
      const approved = known.filter((one) => String(one.n) === parts[5]);
      baselines = [
        ...known,
        ...approved.map((one) => ({
          ...one,
          n: known.length + 1,
          approved: { by: 'somebody', at: iso(now) },
          effectiveFrom: iso(now),
        })),
      ];
      return true;
    }
    return parts[6] === 'rollback';
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://mock');
    const send = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
      response.end(JSON.stringify(value));
    };
    const file = page.get(url.pathname);
    if (file !== undefined && request.method === 'GET') {
      response.writeHead(200, {
        'content-type': file.type,
        'content-encoding': 'gzip',
        ...Object.fromEntries(SECURITY_HEADERS),
        etag: file.etag,
      });
      response.end(file.gzip);
      return;
    }
    if (url.pathname === '/runbook') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<h1 id="drift">Runbook</h1>');
      return;
    }
    if (failing) return send(500, { title: 'failed', detail: 'the store cannot be read: EIO' });
    if (scenario === 'token' && request.headers.authorization !== `Bearer ${TOKEN}`)
      return send(401, { title: 'a token is required' });
    if (request.method === 'GET') {
      asked++;
      const value = answer(url.pathname, url.searchParams);
      return value === null
        ? send(404, { title: 'not found', detail: `nothing is known of ${url.pathname}` })
        : send(200, value);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.headers['content-type'] !== 'application/json')
      return send(415, { title: 'content type must be application/json' });
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    changes.push({ method: request.method ?? '', path: url.pathname, body });
    return apply(url.pathname, body) ? send(200, {}) : send(404, { title: 'not found' });
  };

  const server: Server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/`,
    changes,
    asked: () => asked,
    fail: (on) => {
      failing = on;
    },
    setNow: (at) => {
      now = at;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function planOf(scenario: Scenario): Plan {
  if (scenario === 'wide')
    return {
      ...flights,
      features: Array.from({ length: 300 }, (_, i) => ({
        name: `feature_${String(i).padStart(3, '0')}`,
        type: i % 3 === 0 ? ('categorical' as const) : ('numeric' as const),
        role: 'feature' as const,
      })),
      incident: { ...INCIDENT, features: ['feature_005', 'feature_117'] },
    };
  if (scenario === 'learning') {
    const [from, due] = [flights.from, flights.from + 7 * DAY];
    return {
      ...flights,
      to: due + 3 * DAY,
      incident: null,
      learning: {
        from: iso(from),
        due: iso(due),
        until: iso(due + 3 * DAY),
        progress: 1,
        hold: 'too-few-rows',
        held: 'the baseline is learned for longer than asked (too-few-rows): 2 of 10 windows have 200 rows; at least 4 are needed',
      },
    };
  }
  if (scenario === 'hourly')
    return {
      ...flights,
      every: DAY / 24,
      timezone: 'America/New_York',
      features: Array.from({ length: 50 }, (_, i) => ({
        name: `feature_${i}`,
        type: 'numeric' as const,
        role: 'feature' as const,
      })),
      incident: { ...INCIDENT, features: ['feature_5'] },
    };
  if (scenario === 'nasty')
    return {
      ...flights,
      model: NASTY[0] ?? '',
      features: NASTY.map((name, i) => ({
        name,
        type: i % 2 === 0 ? ('numeric' as const) : ('categorical' as const),
        role: 'feature' as const,
      })),
      incident: { ...INCIDENT, features: NASTY },
      timezone: 'Asia/Kolkata',
    };
  return flights;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === resolve(import.meta.filename)) {
  const scenario = SCENARIOS.find((one) => one === process.argv[2]) ?? 'demo';
  const server = await startMockServer(scenario, Number(process.argv[3] ?? 0));
  process.stdout.write(`${server.url} (${scenario})\n`);
}
