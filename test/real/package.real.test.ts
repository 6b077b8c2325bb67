/** The npm package as a user gets it: packed, installed from the tarball into an empty folder, and used from there. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer } from '../../lib/contracts/api.ts';
import { version } from '../../lib/contracts/version.ts';
import { CHECKOUT, endAll, eventually, getJson, Program, run } from './programs.ts';

const NAME = 'ml-monitoring-constructs';
/** Half of it are the functions, which nobody has to build. */
const MOST_BYTES = 8_000_000;

const AWS_CLIENTS =
  /^dist\/(?:cjs\/lib\/producer\/index\.js|lib\/(?:adapters\/(?:athena|cloudwatch|eventbridge|function|kinesis|remote-write|s3|sns|sqs)\/|producer\/kinesis-sink\.js|local\/deployed-store\.js))/;

/** What types of libraries take for granted: those of Node.js or of a browser. */
const LIBRARIES = 'es2023,esnext.disposable,dom';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

let folder: string;
/** A user's folder: nothing but what npm installed from the tarball. */
let home: string;
let installed: string;
let tarball: string;
let packed: { readonly filename: string; readonly size: number; readonly files: readonly { readonly path: string }[] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  home = join(folder, 'home');
  installed = join(home, 'node_modules', NAME);
  await mkdir(home);
  await writeFile(join(home, 'package.json'), '{ "name": "home", "private": true, "type": "module" }\n');
  const pack = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: CHECKOUT });
  expect([pack.code, pack.code === 0 ? '' : pack.err]).toEqual([0, '']);
  const answer = JSON.parse(pack.out) as Record<string, typeof packed>;
  packed = Object.values(answer)[0] as typeof packed;
  tarball = join(folder, packed.filename);
  const install = await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: home });
  expect([install.code, install.code === 0 ? '' : install.err]).toEqual([0, '']);
});
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const command = (): string => join(home, 'node_modules/.bin/mlmon');
const mlmon = (...argv: string[]): ReturnType<typeof run> => run(command(), argv, { cwd: home });
const node = (file: string): ReturnType<typeof run> => run(process.execPath, [file], { cwd: home });

/** Digest of every file, by path. */
function digests(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of filesOf(root))
    found[relative(root, path)] = createHash('sha256').update(readFileSync(path)).digest('hex');
  return found;
}

function filesOf(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

describe('the tarball', () => {
  it('is small', async () => {
    const { size } = await stat(tarball);
    process.stdout.write(`${packed.filename}: ${size.toLocaleString('en')} bytes, ${packed.files.length} files\n`);
    expect(size).toBe(packed.size);
    expect(size).toBeLessThanOrEqual(MOST_BYTES);
  });

  it('holds what is used and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/mlmon',
      'docs/reference/monitor.schema.json',
      'docs/runbook.md',
      'examples/python/mlmon_aws.py',
      'examples/python/mlmon_client.py',
      'examples/python/mlmon_kinesis.py',
      'package.json',
    ]);
    const compiled = paths.filter((path) => path.startsWith('dist/'));
    expect(compiled).toContain('dist/bin/mlmon.js');
    expect(compiled).toContain('dist/lib/local/page/files/page.js');
    // Types of what can be imported alone.
    const unexpected = compiled.filter(
      (path) =>
        !/^dist\/(?:bin|lib)\/.*\.js$/.test(path) &&
        !/^dist\/(?:cjs\/)?lib\/(?:alerts|aws|contracts|cost|kubernetes|producer|testing)\/(?:[\w-]+\/)?[\w-]+\.d\.ts$/.test(
          path,
        ) &&
        !/^dist\/cjs\/(?:package\.json|lib\/(?:aws|contracts|kubernetes|producer|testing)\/index\.js)$/.test(path) &&
        !/^dist\/lambdas\/[a-z-]+\/index\.mjs$/.test(path) &&
        !/^dist\/lib\/local\/page\/files\/(?:[\w-]+\.(?:js|css|html|svg)|licences\.txt)$/.test(path),
    );
    expect(unexpected).toEqual([]);
    expect(paths.filter((path) => /(?:^|\/)(?:tests?|bench|fixtures)\/|\.test\.|\.map$/.test(path))).toEqual([]);
  });

  it('passes on the licences of what the page contains', () => {
    const licences = readFileSync(join(installed, 'dist/lib/local/page/files/licences.txt'), 'utf8');
    const named = [...licences.matchAll(/^={80}\n(\S+) [\d.]+ \((.+)\)\n={80}$/gm)].map(([, name, kind]) => [
      name,
      kind,
    ]);
    expect(Object.fromEntries(named)).toEqual({
      echarts: 'Apache-2.0',
      preact: 'MIT',
      tslib: '0BSD',
      zrender: 'BSD-3-Clause',
    });
    expect(licences).toMatch(/Apache ECharts\nCopyright/);
    // Of d3, which ECharts took parts of.
    expect(licences).toContain('Mike Bostock');
  });

  it('tells nothing of the machine it was made on', () => {
    const files = filesOf(installed);
    expect(files.length).toBeGreaterThan(100);
    const telling = files.filter((path) => {
      const text = readFileSync(path, 'latin1');
      return (
        text.includes(CHECKOUT) || text.includes('sourceMappingURL') || text.includes('data:application/json;base64')
      );
    });
    expect(telling).toEqual([]);
  });

  it('has the same bytes whenever and wherever it is made', async () => {
    const built: Record<string, string>[] = [];
    for (const name of ['first', 'second']) {
      const { code, err } = await run('npm', ['run', '-s', 'build', '--', join(folder, name)], { cwd: CHECKOUT });
      expect([code, code === 0 ? '' : err]).toEqual([0, '']);
      built.push(digests(join(folder, name)));
    }
    expect(built[1]).toEqual(built[0]);
    expect(built[0]).toEqual(digests(join(installed, 'dist')));
  });

  it('needs no package that is not installed with it', async () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
    for (const name of Object.keys(manifest.devDependencies))
      expect([name, existsSync(join(home, 'node_modules', name))]).toEqual([name, false]);
    const known = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)];
    // A bundler reads the imports as Node would; it fails where a file that is imported is not there.
    const { metafile } = await build({
      absWorkingDir: installed,
      entryPoints: filesOf(join(installed, 'dist')).filter(
        (path) => path.endsWith('.js') && !path.includes('/page/files/'),
      ),
      outdir: join(folder, 'bundled'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const packages = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
      imports
        .filter(({ path, external }) => external === true && !isBuiltin(path))
        .map(({ path, kind }) => ({ file, kind, name: path.split('/', path.startsWith('@') ? 2 : 1).join('/') })),
    );
    expect(Object.keys(metafile.inputs).length).toBeGreaterThan(100);
    expect([...new Set(packages.map(({ name }) => name))]).toEqual(expect.arrayContaining(known));
    const missing = packages.filter(
      ({ file, kind, name }) =>
        !known.includes(name) &&
        // The constructs stand on what every CDK app has.
        !(name in manifest.peerDependencies && /^dist\/(?:cjs\/)?lib\/(?:aws|kubernetes|testing)\//.test(file)) &&
        // A peer that is loaded where it is used says itself what is missing.
        !(name in manifest.peerDependencies && kind === 'dynamic-import') &&
        // What reaches AWS is bundled in the functions; on a command line it is installed by whoever needs it.
        !(/^@(?:aws-sdk|aws-crypto|smithy)\//.test(name) && AWS_CLIENTS.test(file)),
    );
    // The builder of the page is never loaded where the page is prebuilt.
    expect(missing).toEqual([{ file: 'dist/lib/local/page/build.js', kind: 'dynamic-import', name: 'esbuild' }]);
    // What is optional is loaded where it is used.
    for (const { name, kind } of packages)
      if (name in manifest.optionalDependencies) expect([name, kind]).toEqual([name, 'dynamic-import']);
  });
});

/** Lines of a table whose numbers lie in the same range, shifted by `by`. */
function table(rows: number, by: number): string {
  const lines = ['tenure,plan'];
  for (let i = 0; i < rows; i += 1)
    lines.push(`${((i * 7_919) % 1_009) / 10 + by},${['basic', 'family', 'pro'][i % 3]}`);
  return `${lines.join('\n')}\n`;
}

const MONITOR = `model: churn
owner: team-crm
task: binary-classification
positive: leaves
features:
  tenure: { type: numeric }
  plan: { type: categorical }
window: { every: 1h, lateness: 5m, minimumRows: 100 }
truth: { horizon: 24h }
`;

describe.sequential('the installed command', () => {
  beforeAll(async () => {
    await writeFile(join(home, 'january.csv'), table(2_000, 0));
    await writeFile(join(home, 'february.csv'), table(2_000, 0));
    await writeFile(join(home, 'march.csv'), table(2_000, 60));
    await mkdir(join(home, 'monitors'));
    await writeFile(join(home, 'monitors/churn.yaml'), MONITOR);
  });

  it('says its version', async () => {
    expect(await mlmon('--version')).toEqual({ code: 0, signal: null, out: `${version}\n`, err: '' });
    // npm adds warnings of its own on standard error.
    expect(await run('npx', ['mlmon', '--version'], { cwd: home })).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it('validates monitors', async () => {
    expect(await mlmon('validate', 'monitors')).toMatchObject({
      code: 0,
      out: 'monitors/churn.yaml: valid, monitors churn\n',
    });
    await writeFile(join(home, 'wrong.yaml'), MONITOR.replace('owner:', 'onwer:'));
    const wrong = await mlmon('validate', 'wrong.yaml');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/onwer: unknown key.*did you mean owner\?/);
  });

  it('compares two files', async () => {
    const same = await mlmon('report', '--reference', 'january.csv', '--current', 'february.csv');
    expect([same.code, same.err]).toEqual([0, '']);
    const moved = await mlmon('report', '--reference', 'january.csv', '--current', 'march.csv', '--json');
    expect([moved.code, moved.err]).toEqual([1, '']);
    const { features } = JSON.parse(moved.out) as { features: { name: string; status: string }[] };
    expect(Object.fromEntries(features.map(({ name, status }) => [name, status]))).toEqual({
      tenure: 'drifted',
      plan: 'ok',
    });
  });

  it('says that the demonstration needs a checkout', async () => {
    const start = await mlmon('start');
    expect([start.code, start.out]).toEqual([2, '']);
    expect(start.err).toMatch(/^demonstration: needs a checkout: .*`npm start` in a checkout.*`mlmon serve` here/);
    expect(existsSync(join(home, '.mlmon'))).toBe(false);
  });

  it('serves the page and takes events', async () => {
    const serve = new Program(command(), ['serve', '--monitors', 'monitors', '--port', '0'], { cwd: home });
    const [, url = ''] = await serve.says(/^open (http:\/\/\S+?)\/ /m);
    const page = await fetch(`${url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    const asked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(asked).toEqual(expect.arrayContaining(['page.js', 'page.css', 'icon.svg']));
    for (const path of ['page.js', 'page.css', 'icon.svg', 'runbook', 'openapi.json']) {
      const answer = await fetch(`${url}/${path}`);
      expect([path, answer.status, (await answer.text()).length > 200]).toEqual([path, 200, true]);
    }
    const event = {
      specversion: '1.0',
      id: '1',
      source: 'shop',
      type: 'ml.inference.v1',
      data: {
        id: 'order-17',
        type: 'inference',
        model: 'churn',
        version: '1',
        time: new Date().toISOString(),
        numeric: { tenure: 12 },
        categorical: { plan: 'basic' },
        score: 0.31,
        predicted: 'stays',
      },
    };
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
    });
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, quarantined: 0, reasons: [] }]);
    await eventually(
      () => getJson<HealthAnswer>(`${url}/api/health`),
      ({ health: { counts } }) => counts.received === 1 && counts.profiled === 1,
    );
    expect(await serve.stop()).toEqual({ code: 0, signal: null });
    expect(serve.err.trim()).toBe('stopping …');
  });
});

describe('the contracts', () => {
  const SOURCE = `import { type Monitor, parseMonitor, QUARANTINE_REASONS, VERDICTS, version, type WindowsAnswer } from '${NAME}/contracts';
const { monitor } = parseMonitor({ model: 'churn' });
const every: string | undefined = monitor?.window.every;
const named = (answer: WindowsAnswer, of: Monitor): string => \`\${of.model} \${answer.windows[0]?.status}\`;
console.log(JSON.stringify([every, VERDICTS.includes('drifted'), QUARANTINE_REASONS.length > 0, version, typeof named]));
`;
  const compile = (file: string, ...options: string[]): ReturnType<typeof run> =>
    run(
      process.execPath,
      [
        join(CHECKOUT, 'node_modules/typescript/bin/tsc'),
        ...['--ignoreConfig', '--strict', '--target', 'es2022', '--lib', 'es2023,dom', '--types', ''],
        ...['--skipLibCheck', 'false', '--noUncheckedIndexedAccess', ...options, file],
      ],
      { cwd: home },
    );

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('have types, for module %s with resolution %s', async (module, resolution) => {
    await writeFile(join(home, 'use.ts'), SOURCE);
    const compiled = await compile('use.ts', '--module', module, '--moduleResolution', resolution);
    expect([compiled.code, compiled.out]).toEqual([0, '']);
    const ran = await node('use.js');
    expect([ran.code, ran.out.trim(), ran.err]).toEqual([
      0,
      JSON.stringify(['1d', true, true, version, 'function']),
      '',
    ]);
  });

  it('have types that refuse what is wrong', async () => {
    await writeFile(join(home, 'misuse.ts'), SOURCE.replace('monitor?.window.every', 'monitor?.window.evry'));
    const compiled = await compile('misuse.ts', '--module', 'nodenext', '--noEmit');
    expect(compiled.code).not.toBe(0);
    expect(compiled.out).toMatch(/^misuse\.ts\(3,\d+\): error TS\d+: .*evry/);
  });

  it.each(['', '/dist/lib/engine/profile.js', '/package.json'])(
    'are all that can be imported, not %j',
    async (path) => {
      await writeFile(join(home, 'inside.mjs'), `import '${NAME}${path}';\n`);
      const ran = await node('inside.mjs');
      expect(ran.code).toBe(1);
      expect(ran.err).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
    },
  );
});

describe.sequential('the constructs', () => {
  const APP = `
const app = new App({ analyticsReporting: false, outdir: process.argv[2] });
const stack = new Stack(app, 'Platform');
const monitoring = new ModelMonitoring(stack, 'Monitoring', {
  grafana: Grafana.none(),
  channels: [Channel.email('team@example.com')],
  models: [Monitor.of({ model: 'churn', features: { tenure: { type: 'numeric' } } })],
});
const role = new Role(stack, 'Sender', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
monitoring.grants.capture(role, 'churn');
app.synth();
`;
  const NAMES = [
    ['App, Stack', 'aws-cdk-lib'],
    ['Role, ServicePrincipal', 'aws-cdk-lib/aws-iam'],
    ['Channel, Grafana, ModelMonitoring, Monitor', `${NAME}/aws`],
  ] as const;
  const IMPORTS = NAMES.map(([names, from]) => `import { ${names} } from '${from}';\n`).join('');
  const REQUIRES = NAMES.map(([names, from]) => `const { ${names} } = require('${from}');\n`).join('');
  /** A user's CDK project. */
  let project: string;
  const synthesised = (name: string): unknown =>
    JSON.parse(readFileSync(join(project, name, 'Platform.template.json'), 'utf8'));

  beforeAll(async () => {
    project = join(folder, 'project');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true }\n');
    const install = await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--omit=optional', '--omit=peer', tarball],
      {
        cwd: project,
      },
    );
    expect([install.code, install.code === 0 ? '' : install.err]).toEqual([0, '']);
    // The user's own copy of the library; the one of the checkout is as good and there already.
    for (const name of ['aws-cdk-lib', 'constructs']) {
      await rm(join(project, 'node_modules', name), { recursive: true, force: true });
      await symlink(join(CHECKOUT, 'node_modules', name), join(project, 'node_modules', name));
    }
  });

  it.each([
    ['app.mjs', IMPORTS],
    ['app.cjs', REQUIRES],
  ])('synthesise from %s, with the functions that came along', async (file, head) => {
    await writeFile(join(project, file), head + APP);
    const ran = await run(process.execPath, [file, join(project, `out-${file}`)], { cwd: project });
    expect([ran.code, ran.code === 0 ? '' : ran.err]).toEqual([0, '']);
    expect(Object.keys((synthesised(`out-${file}`) as { Resources: object }).Resources).length).toBeGreaterThan(100);
  });

  it('make the same template as a checkout, down to the digests of the functions', async () => {
    const file = join(CHECKOUT, 'examples/aws', `.same-${process.pid}.ts`);
    try {
      await writeFile(file, IMPORTS.replace(`${NAME}/aws`, '../../lib/aws/index.ts') + APP);
      const ran = await run(process.execPath, ['--import', 'tsx', file, join(project, 'out-checkout')], {
        cwd: CHECKOUT,
      });
      expect([ran.code, ran.code === 0 ? '' : ran.err]).toEqual([0, '']);
    } finally {
      await rm(file, { force: true });
    }
    const checkout = synthesised('out-checkout');
    expect(JSON.stringify(checkout)).toMatch(/"S3Key":"[0-9a-f]{64}\.zip"/);
    expect(synthesised('out-app.mjs')).toEqual(checkout);
    expect(synthesised('out-app.cjs')).toEqual(checkout);
  });

  it.each([
    ['nodenext', 'nodenext', 'module'],
    ['nodenext', 'nodenext', 'commonjs'],
    ['esnext', 'bundler', 'commonjs'],
  ])('have types, for module %s with resolution %s in a package of type %s', async (module, resolution, type) => {
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type }));
    await writeFile(join(project, 'typed.ts'), `declare const process: { argv: string[] };\n${IMPORTS}${APP}`);
    const options = ['--ignoreConfig', '--strict', '--target', 'es2022', '--lib', LIBRARIES, '--types', '', '--noEmit'];
    const compile = (file: string): ReturnType<typeof run> =>
      run(
        process.execPath,
        [
          join(CHECKOUT, 'node_modules/typescript/bin/tsc'),
          ...[...options, '--skipLibCheck', 'false', '--module', module, '--moduleResolution', resolution, file],
        ],
        { cwd: project },
      );
    const compiled = await compile('typed.ts');
    expect([compiled.code, compiled.out]).toEqual([0, '']);
    await writeFile(join(project, 'wrong.ts'), `${IMPORTS}new ModelMonitoring(new Stack(), 'M', { channels: [] });\n`);
    const wrong = await compile('wrong.ts');
    expect(wrong.out).toMatch(/Property 'grafana' is missing/);
  });
});

describe.sequential('the charts', () => {
  const APP = `
const app = new App({ outdir: process.argv[2] });
new ModelMonitoringChart(app, 'monitoring', {
  log: Log.kafka({ brokers: ['kafka-bootstrap.kafka.svc:9092'] }),
  store: Store.s3({ bucket: 'ml-monitoring' }),
  monitors: [Monitor.of({ model: 'churn', features: { tenure: { type: 'numeric' } } })],
});
app.synth();
`;
  const NAMES = [
    ['App', 'cdk8s'],
    ['Log, ModelMonitoringChart, Monitor, Store', `${NAME}/kubernetes`],
  ] as const;
  const IMPORTS = NAMES.map(([names, from]) => `import { ${names} } from '${from}';\n`).join('');
  const REQUIRES = NAMES.map(([names, from]) => `const { ${names} } = require('${from}');\n`).join('');
  /** A user's cdk8s project: without aws-cdk-lib. */
  let project: string;
  const manifest = (name: string): string => readFileSync(join(project, name, 'monitoring.k8s.yaml'), 'utf8');

  beforeAll(async () => {
    project = join(folder, 'cluster');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{ "name": "cluster", "private": true }\n');
    const install = await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--omit=optional', '--omit=peer', tarball],
      {
        cwd: project,
      },
    );
    expect([install.code, install.code === 0 ? '' : install.err]).toEqual([0, '']);
    for (const name of ['cdk8s', 'cdk8s-plus-28', 'constructs']) {
      await rm(join(project, 'node_modules', name), { recursive: true, force: true });
      // Copied, not linked: what they import is looked for beside them, not in the checkout.
      await cp(join(CHECKOUT, 'node_modules', name), join(project, 'node_modules', name), { recursive: true });
    }
    expect(existsSync(join(project, 'node_modules/aws-cdk-lib'))).toBe(false);
  });

  it.each([
    ['app.mjs', IMPORTS],
    ['app.cjs', REQUIRES],
  ])('synthesise from %s', async (file, head) => {
    await writeFile(join(project, file), head + APP);
    const ran = await run(process.execPath, [file, join(project, `out-${file}`)], { cwd: project });
    expect([ran.code, ran.code === 0 ? '' : ran.err]).toEqual([0, '']);
    expect(manifest(`out-${file}`).match(/^kind: Deployment$/gm)).toHaveLength(7);
    expect(manifest(`out-${file}`)).toBe(manifest('out-app.mjs'));
  });

  it('are rendered by the installed command, from a file', async () => {
    await writeFile(
      join(project, 'cluster.yaml'),
      'log: { kafka: { brokers: ["kafka:9092"] } }\nstore: { s3: { bucket: ml-monitoring } }\nmonitors: []\n',
    );
    const installedCommand = join(project, 'node_modules/.bin/mlmon');
    const ran = await run(installedCommand, ['render', 'kubernetes', 'cluster.yaml', '-o', 'rendered'], {
      cwd: project,
    });
    expect([ran.code, ran.out]).toEqual([0, '']);
    expect(readdirSync(join(project, 'rendered'))).toContain('collector.yaml');
    // Where nobody installed cdk8s the command says so.
    await writeFile(join(home, 'cluster.yaml'), 'log: {}\n');
    const without = await mlmon('render', 'kubernetes', 'cluster.yaml');
    expect([without.code, without.err]).toEqual([
      2,
      expect.stringContaining('npm install cdk8s cdk8s-plus-28 constructs'),
    ]);
  });

  it.each([
    ['nodenext', 'nodenext', 'module'],
    ['nodenext', 'nodenext', 'commonjs'],
    ['esnext', 'bundler', 'commonjs'],
  ])('have types, for module %s with resolution %s in a package of type %s', async (module, resolution, type) => {
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'cluster', private: true, type }));
    await writeFile(join(project, 'typed.ts'), `declare const process: { argv: string[] };\n${IMPORTS}${APP}`);
    const compile = (file: string): ReturnType<typeof run> =>
      run(
        process.execPath,
        [
          join(CHECKOUT, 'node_modules/typescript/bin/tsc'),
          ...['--ignoreConfig', '--strict', '--target', 'es2022', '--lib', LIBRARIES, '--types', '', '--noEmit'],
          ...['--skipLibCheck', 'false', '--module', module, '--moduleResolution', resolution, file],
        ],
        { cwd: project },
      );
    const compiled = await compile('typed.ts');
    expect([compiled.out, compiled.code]).toEqual(['', 0]);
    await writeFile(
      join(project, 'wrong.ts'),
      `${IMPORTS}new ModelMonitoringChart(new App(), 'm', { monitors: [] });\n`,
    );
    expect((await compile('wrong.ts')).out).toMatch(/log, store|missing the following properties/);
  });
});

describe('without the optional DuckDB', () => {
  it('what does not read tables works, and the rest says what is missing', async () => {
    await rm(join(home, 'node_modules/@duckdb'), { recursive: true });
    expect((await mlmon('validate', 'monitors')).code).toBe(0);
    const report = await mlmon('report', '--reference', 'january.csv', '--current', 'february.csv');
    expect([report.code, report.out]).toEqual([2, '']);
    expect(report.err).toMatch(/^@duckdb\/node-api: .*cannot be loaded.*npm install @duckdb\/node-api/);
  });
});
