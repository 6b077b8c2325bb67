/** What holds of every chart, whatever is chosen: all pairs of choices appear. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runConfigSchema } from '../../lib/contracts/roles.ts';
import {
  Channel,
  Grafana,
  Log,
  type ModelMonitoringChartProps,
  Monitor,
  Peer,
  Scaling,
  Store,
  Watching,
} from '../../lib/kubernetes/index.ts';
import {
  danglingSelectors,
  hardeningViolations,
  namingViolations,
  references,
  restrictedViolations,
} from './assertions.ts';
import { EDGES } from './charts.ts';
import { CHURN, MINIMAL, objectsOf, templates } from './objects.ts';

type Choice = Partial<ModelMonitoringChartProps>;
const key = (name: string): { secret: string; key: string } => ({ secret: name, key: 'key' });

const CHOICES: Readonly<Record<string, readonly Choice[]>> = {
  name: [{}, { name: 'a', namespace: 'b' }, { name: `m${'o'.repeat(39)}`, createNamespace: true }],
  log: [
    {},
    {
      log: Log.kafka({
        brokers: ['k:1', '[::1]:2'],
        partitions: 1,
        tls: { ca: key('k'), certificate: key('k'), key: key('l') },
      }),
    },
    {
      log: Log.kafka({
        brokers: ['k:9092'],
        sasl: { mechanism: 'plain', username: key('k'), password: key('k') },
        peers: [Peer.namespace('kafka')],
      }),
    },
  ],
  store: [
    {},
    { store: Store.s3({ bucket: 'abc', endpoint: 'http://s3', accessKeyId: key('k'), secretAccessKey: key('s') }) },
  ],
  monitors: [
    {},
    { monitors: [] },
    {
      monitors: [CHURN, Monitor.of({ model: 'm'.repeat(63), features: { f: { type: 'numeric' } } })],
      policyKey: key('p'),
    },
  ],
  channels: [
    {},
    { channels: [Channel.teams(key('t')), Channel.pagerDuty(key('p')), Channel.opsgenie(key('t'), { name: 'ops' })] },
  ],
  watching: [
    {},
    { watching: Watching.files() },
    { watching: Watching.none() },
    { watching: Watching.operator({ by: 'services' }) },
  ],
  grafana: [{}, { grafana: Grafana.none() }],
  collectors: [{}, { collectors: Scaling.fixed(1) }],
  profilers: [{}, { profilers: Scaling.lag({ minimum: 3 }) }, { profilers: Scaling.cpu() }],
  limits: [{}, { limits: 'memory-and-cpu', resources: { page: { cpu: '0.5' } } }],
  network: [{}, { clients: [Peer.anywhere()], scrapers: [Peer.cluster()], dns: [Peer.addresses('10.0.0.10/32')] }],
};

function check(props: Choice): void {
  const objects = objectsOf(props);
  for (const { template } of templates(objects))
    expect([...restrictedViolations(template.spec), ...hardeningViolations(template.spec)]).toEqual([]);
  const { missing, secrets } = references(objects);
  expect(missing).toEqual([]);
  expect(danglingSelectors(objects)).toEqual([]);
  expect(namingViolations(objects)).toEqual([]);
  // What containers are told is what they take.
  const run = objects.find(({ kind, data }) => kind === 'ConfigMap' && data?.['run.yaml'] !== undefined);
  expect(runConfigSchema.safeParse(JSON.parse(run?.data?.['run.yaml'] ?? '')).error).toBeUndefined();
  // Only Secrets that somebody named are read.
  const named = JSON.stringify({ ...MINIMAL, ...props });
  for (const secret of secrets) expect(secret === 'mlmon-tokens' || named.includes(`"${secret}"`)).toBe(true);
  // No value of a secret can be in a chart: it never sees one. Nor is any environment variable used.
  expect(JSON.stringify(objects)).not.toMatch(/"env"|"envFrom"|"stringData"/);
  const allowed = templates(objects).length;
  expect(objects.filter(({ kind }) => kind === 'NetworkPolicy')).toHaveLength(allowed + 1);
}

/** Rows of choices, one of each group, in which every pair of options of two groups stands together somewhere. */
function pairwise(groups: readonly (readonly Choice[])[]): number[][] {
  const open = new Set<string>();
  const pair = (a: number, i: number, b: number, j: number): string =>
    a < b ? `${a}.${i} ${b}.${j}` : `${b}.${j} ${a}.${i}`;
  groups.forEach((first, a) => {
    groups.forEach((second, b) => {
      if (a < b) for (const i of first.keys()) for (const j of second.keys()) open.add(pair(a, i, b, j));
    });
  });
  const rows: number[][] = [];
  for (let next = open.values().next().value; next !== undefined; next = open.values().next().value) {
    const row = new Map(next.split(' ').map((one) => one.split('.').map(Number) as [number, number]));
    groups.forEach((options, group) => {
      if (row.has(group)) return;
      const gain = (option: number): number =>
        [...row].filter(([other, its]) => open.has(pair(group, option, other, its))).length;
      row.set(group, options.map((_, at) => at).sort((x, y) => gain(y) - gain(x))[0] ?? 0);
    });
    for (const [a, i] of row) for (const [b, j] of row) if (a < b) open.delete(pair(a, i, b, j));
    rows.push([...row].sort(([a], [b]) => a - b).map(([, option]) => option));
  }
  return rows;
}

describe('every chart', () => {
  const groups = Object.values(CHOICES);
  const chosen = (row: readonly number[]): Choice =>
    Object.assign({}, ...row.map((option, group) => groups[group]?.[option] ?? {})) as Choice;

  it('holds for all pairs of choices', () => {
    const rows = pairwise(groups);
    expect(rows.length).toBeGreaterThanOrEqual(12);
    for (const row of rows) check(chosen(row));
  });

  it.each(Object.entries(EDGES))('holds at the edge of what is taken: %s', (_, props) => check(props));

  it('holds for choices of all kinds at once', () => {
    fc.assert(
      fc.property(fc.tuple(...groups.map((options) => fc.nat({ max: options.length - 1 }))), (row) =>
        check(chosen(row)),
      ),
      { numRuns: 15 },
    );
  });
});
