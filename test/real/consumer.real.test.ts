/**
 * The package in the project that `cdk init app --language typescript` writes: nothing of it is changed but the stack, and types of libraries are checked
 * too. What is not needed to synthesise is not there: cdk8s, DuckDB.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUT, endAll, run } from './programs.ts';

const NAME = 'ml-monitoring-constructs';
const TYPES = ['commonjs', 'module'] as const;

/** Something of every entry but that of the charts; the same text as an ES module and as CommonJS. */
const ENTRIES = `import { App, Stack } from 'aws-cdk-lib';
import { Channel, Grafana, ModelMonitoring, Monitor } from '${NAME}/aws';
import { parseMonitor, VERDICTS, type Verdict } from '${NAME}/contracts';
import { type OutgoingRecord, Producer, type ProducerSink } from '${NAME}/producer';
import { MonitoredTemplate } from '${NAME}/testing';

const churn = { model: 'churn', features: { tenure: { type: 'numeric' } } } as const;

class Counter implements ProducerSink {
  readonly appliesPolicy = false;
  readonly limits = { records: 500, bytes: 5_000_000 };
  records = 0;
  async send(records: readonly OutgoingRecord[]) {
    this.records += records.length;
    return [];
  }
}

async function main(): Promise<void> {
  const stack = new Stack(new App(), 'Shop');
  new ModelMonitoring(stack, 'Monitoring', {
    grafana: Grafana.none(),
    channels: [Channel.email('team@example.com')],
    models: [Monitor.of(churn)],
  });
  const template = MonitoredTemplate.of(stack);
  template.monitors('churn');
  const drifted: Verdict = 'drifted';
  const sink = new Counter();
  const producer = new Producer({ sink, monitor: churn });
  producer.inference({ id: 'order-17', version: '1', numeric: { tenure: 12 } });
  await producer.flush();
  await producer.stop();
  console.log(
    JSON.stringify({
      verdict: VERDICTS.includes(drifted),
      models: template.models,
      refused: parseMonitor({}).problems.some(({ path }) => path === 'model'),
      sent: sink.records,
    }),
  );
}

main();
`;

let folder: string;
/** What `cdk init` made, in a folder of this name since the names of its files come from it. */
let shop: string;
/** Digests of what `cdk init` wrote, by path. */
let written: Readonly<Record<string, string>>;

const succeeds = async (command: string, ...argv: string[]): Promise<string> => {
  const { code, out, err } = await run(command, argv, { cwd: shop });
  expect([command, ...argv, code, code === 0 ? '' : `${out}${err}`]).toEqual([command, ...argv, 0, '']);
  return out;
};
const compiles = (): Promise<string> => succeeds('npx', 'tsc', '--skipLibCheck', 'false');

function digests(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(shop, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !/\/(?:node_modules|\.git|cdk\.out)\//.test(path))
      .map((path) => [relative(shop, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

/** Blocks of TypeScript of a page. */
const blocks = (page: string): string[] =>
  [...readFileSync(join(CHECKOUT, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  shop = join(folder, 'shop');
  await mkdir(shop);
  const pack = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: CHECKOUT });
  expect([pack.code, pack.code === 0 ? '' : pack.err]).toEqual([0, '']);
  const [tarball] = Object.values(JSON.parse(pack.out) as Record<string, { readonly filename: string }>);
  await succeeds(join(CHECKOUT, 'node_modules/.bin/cdk'), 'init', 'app', '--language', 'typescript');
  written = digests();
  await succeeds('npm', 'install', '--no-audit', '--no-fund', join(folder, tarball?.filename ?? ''));
  // Not by `--omit=optional`, which would take the compiler of jest away.
  await rm(join(shop, 'node_modules/@duckdb'), { recursive: true });
}, 600_000);
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('a project of cdk init', () => {
  it('is installed without what only clusters and tables need', () => {
    for (const name of ['cdk8s', 'cdk8s-plus-28', '@duckdb', '@platformatic/kafka', '@aws-sdk'])
      expect([name, existsSync(join(shop, 'node_modules', name))]).toEqual([name, false]);
    expect(JSON.parse(readFileSync(join(shop, 'tsconfig.json'), 'utf8'))).toMatchObject({
      compilerOptions: { module: 'NodeNext', strict: true },
    });
  });

  it("takes the README's ten lines as its stack: they compile, its own test passes, and they are synthesised", async () => {
    const [lines = ''] = blocks('README.md').filter((code) => code.includes(`${NAME}/aws`));
    expect(lines.trimEnd().split('\n')).toHaveLength(10);
    await writeFile(join(shop, 'lib/shop-stack.ts'), lines);
    await compiles();
    expect((await run('npm', ['test'], { cwd: shop })).err).toMatch(/Tests: +1 passed, 1 total/);
    await succeeds('npx', 'cdk', 'synth', '-q');
    const { Resources } = JSON.parse(readFileSync(join(shop, 'cdk.out/ShopStack.template.json'), 'utf8')) as {
      readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
    };
    const types = Object.values(Resources).map(({ Type }) => Type);
    expect(types.length).toBeGreaterThan(100);
    expect(types).toEqual(expect.arrayContaining(['AWS::Kinesis::Stream', 'AWS::CloudWatch::Alarm']));
    const bundles = readdirSync(join(shop, 'cdk.out'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.startsWith('asset.'))
      .filter(({ name }) => existsSync(join(shop, 'cdk.out', name, 'index.mjs')));
    expect(bundles.length).toBeGreaterThan(8);
  });

  it('is otherwise as it was written', () => {
    const changed = Object.entries(digests())
      .filter(([path, digest]) => written[path] !== digest)
      .map(([path]) => path)
      .sort();
    expect(changed).toEqual(['lib/shop-stack.ts', 'package-lock.json', 'package.json']);
  });

  it('tests its stack under jest, as the page about tests says', async () => {
    const [first = '', second = ''] = blocks('docs/how-to/test-a-monitored-stack.md');
    const [, head = '', rest = ''] = /^((?:import .*\n)+)([\s\S]*)$/.exec(second) ?? [];
    const test = `${head}${first}${rest}`;
    await writeFile(join(shop, 'test/monitoring.test.ts'), test);
    await compiles();
    const ran = await run('npm', ['test'], { cwd: shop });
    expect([ran.code, ran.code === 0 ? '' : ran.err]).toEqual([0, '']);
    await writeFile(join(shop, 'test/monitoring.test.ts'), test.replaceAll("'churn'", "'chrn'"));
    const wrong = await run('npm', ['test'], { cwd: shop });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('did you mean churn?');
    await rm(join(shop, 'test/monitoring.test.ts'));
  });

  describe('every entry that needs no cluster', () => {
    beforeAll(async () => {
      for (const type of TYPES) {
        await mkdir(join(shop, type));
        await writeFile(join(shop, type, 'package.json'), JSON.stringify({ type }));
        await writeFile(join(shop, type, 'entries.ts'), ENTRIES);
      }
    });

    it.each(['20', '22', '24'])('compiles beside the types of Node.js %s', async (version) => {
      await succeeds('npm', 'install', '--no-audit', '--no-fund', '--no-save', `@types/node@${version}`);
      await rm(join(shop, 'node_modules/@duckdb'), { recursive: true, force: true });
      const { version: installed } = JSON.parse(
        readFileSync(join(shop, 'node_modules/@types/node/package.json'), 'utf8'),
      ) as { readonly version: string };
      expect(installed).toMatch(new RegExp(`^${version}\\.`));
      await compiles();
    });

    it.each(TYPES)('runs in a package of type %s', async (type) => {
      expect(JSON.parse(await succeeds('npx', 'tsx', `${type}/entries.ts`))).toEqual({
        verdict: true,
        models: ['churn'],
        refused: true,
        sent: 1,
      });
    });
  });
});
