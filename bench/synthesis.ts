/**
 * What synthesis costs: an app with the production environment of this project, against an app with a stack of one topic that loads the same constructs
 * and the same library; and 1,000 models against one. Each synthesis is a process of its own, from a bundle as a user's app is, and is
 * told in processor time from its start to its end.
 *
 *   node --import tsx bench/synthesis.ts [rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { FUNCTION_NAMES } from '../lib/contracts/functions.ts';
import { median, noiseOf, tell } from './measurement.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const MODELS = 1_000;
const root = resolve(import.meta.dirname, '..');
const command = 'node --import tsx bench/synthesis.ts';

// Below node_modules, so that the bundle finds the library as a user's app does.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const folder = mkdtempSync(join(root, 'node_modules/.cache/synthesis-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const APP = `
import { App, Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { addEnvironment, environmentOf, Monitor, ModelMonitoring, Grafana, Channel, Prometheus } from '${join(root, 'lib/aws/index.ts')}';
const [what, outdir] = process.argv.slice(2);
const { context } = JSON.parse(process.env['CDK_JSON']);
const app = new App({ outdir, analyticsReporting: false, context });
if (what === 'empty') new Topic(new Stack(app, 'Empty'), 'Topic');
else if (what === 'environment') addEnvironment(app, environmentOf(process.env['ENVIRONMENTS'], 'production'));
else new ModelMonitoring(new Stack(app, 'Models'), 'Monitoring', {
  grafana: Grafana.none(), prometheus: Prometheus.none(), metricDetail: 'none', channels: [Channel.email('a@example.com')],
  models: Array.from({ length: Number(what) }, (_, i) => Monitor.of({ model: 'model-' + i, owner: 'team-' + (i % 50),
    features: Object.fromEntries(Array.from({ length: 20 }, (_, f) => ['feature_' + f, { type: 'numeric' }])) })),
});
app.synth();
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ seconds: (user + system) / 1e6 }));
`;
writeFileSync(join(folder, 'app.ts'), APP);
await build({
  entryPoints: [join(folder, 'app.ts')],
  outfile: join(folder, 'app.mjs'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  define: { 'import.meta.dirname': JSON.stringify(join(root, 'lib/aws')) },
  logLevel: 'error',
});
const functions = join(folder, 'functions');
for (const name of FUNCTION_NAMES) {
  mkdirSync(join(functions, name), { recursive: true });
  // As large as the bundles are: each is read for its digest.
  writeFileSync(join(functions, name, 'index.mjs'), `/* ${name} ${'.'.repeat(1_200_000)} */`);
}
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };

function synthesis(what: string): number {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'app.mjs'), what, outdir], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_JSON: JSON.stringify({ context: { ...context, 'ml-monitoring-constructs:functions': functions } }),
      ENVIRONMENTS: join(root, 'environments'),
    },
  });
  rmSync(outdir, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${what}: ended with ${status}: ${stderr}`);
  return (JSON.parse(stdout) as { seconds: number }).seconds;
}

const KINDS = ['empty', 'environment', '1', String(MODELS)] as const;
const times = new Map<string, number[]>(KINDS.map((kind) => [kind, []]));
for (const kind of KINDS) synthesis(kind);
for (let round = 0; round < ROUNDS; round++) for (const kind of KINDS) times.get(kind)?.push(synthesis(kind));
const of = (kind: string): number => median(times.get(kind) ?? []);
for (const kind of KINDS) process.stdout.write(`${kind}: ${of(kind).toFixed(2)} s of processor time\n`);

function compare(measure: string, [ours, reference, against]: readonly [string, string, string], most: number): void {
  const ratio = of(ours) / of(reference);
  tell({
    benchmark: 'synthesis',
    measure,
    ours: of(ours),
    reference: of(reference),
    against,
    ratio,
    unit: 's',
    target: `at most ${most} times`,
    met: ratio <= most,
    noise: noiseOf(times.get(ours) ?? []),
    command,
  });
}
compare(
  'synthesis of the production environment',
  ['environment', 'empty', 'a stack of one topic, with the same constructs loaded'],
  3,
);
compare(
  `synthesis of ${MODELS.toLocaleString('en-US')} models with 20 features`,
  [String(MODELS), '1', 'one model'],
  2,
);
