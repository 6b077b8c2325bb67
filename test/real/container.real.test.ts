/**
 * What the Dockerfile makes, without an engine: the packed package installed by the commands of the Dockerfile, and its command run as a pod of
 * the profile "restricted" would run it: no root, no rights, nothing that can be written but /tmp. Needs root, as the installation of tests does.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLE_PORTS } from '../../lib/contracts/roles.ts';
import { CHECKOUT, endAll, eventually, freePort, Program, run } from './programs.ts';

const USER = 10_001;
const dockerfile = readFileSync(join(CHECKOUT, 'Dockerfile'), 'utf8');
/** Not below /tmp, which is empty inside. */
const folder = mkdtempSync('/var/tmp/mlmon-container-');
const installed = join(folder, 'opt/mlmon');
const launcher = join(installed, 'package/bin/mlmon');

/** Every mount read-only but a /tmp of its own, then a user without any right. */
const SANDBOX = `
mount --make-rprivate /
for place in $(findmnt -rno TARGET | sort -r); do
  case "$place" in /proc*|/dev*|/sys*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done
mount -o remount,bind,ro / || exit 90
mount -t tmpfs -o size=256m,mode=1777 tmpfs /tmp
cd /tmp
exec setpriv --reuid=${USER} --regid=${USER} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- \\
  env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp NODE_ENV=production "$@"
`;

function sandboxed(...command: string[]): Program {
  return new Program('unshare', [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    SANDBOX,
    'sandbox',
    ...command,
  ]);
}
async function ranIn(...command: string[]) {
  const program = sandboxed(...command);
  return { ...(await program.ended), out: program.out, err: program.err };
}

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: CHECKOUT });
  expect([packed.code, packed.code === 0 ? '' : packed.err]).toEqual([0, '']);
  const tarball = join(folder, packed.out.trim().split('\n').at(-1) ?? '');
  // The very line of the Dockerfile, with places of this machine.
  const [, line = ''] = /^RUN (\/container\/install\.sh .*)$/m.exec(dockerfile) ?? [];
  const command = line
    .replace('/container/', `${join(CHECKOUT, 'container')}/`)
    .replace('/tmp/mlmon.tgz', tarball)
    .replace('/opt/mlmon', installed);
  const install = await run('sh', ['-c', command]);
  expect([install.code, install.code === 0 ? '' : install.err]).toEqual([0, '']);
  await run('chmod', ['-R', 'go+rX', folder]);
});
afterAll(() => {
  endAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('the image', () => {
  it('is pinned, runs as nobody, and holds no package manager', () => {
    const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(stages).toEqual(Array.from({ length: 3 }, () => '$' + '{NODE}'));
    expect(dockerfile).toMatch(/^ARG NODE=node:\d+\.\d+\.\d+-[a-z-]+$/m);
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toContain(`\nUSER ${USER}:${USER}\n`);
    expect(last).toContain(
      `\nEXPOSE ${Object.values(ROLE_PORTS)
        .sort((a, b) => a - b)
        .join(' ')}\n`,
    );
    expect(last).toMatch(/rm -rf .*bin\/npm .*bin\/npx/);
    expect(last).not.toMatch(/^ADD|curl|wget/m);
  });

  it('installs the versions that the package is tested with, and none for development', () => {
    const read = (file: string) =>
      JSON.parse(readFileSync(join(CHECKOUT, file), 'utf8')) as Record<string, Record<string, string>>;
    const whole = read('package.json');
    const image = read('container/package.json');
    const tested = { ...whole['devDependencies'], ...whole['optionalDependencies'], ...whole['dependencies'] };
    for (const [name, version] of Object.entries(image['dependencies'] ?? {}))
      expect([name, tested[name]]).toEqual([name, version]);
    for (const name of Object.keys(whole['dependencies'] ?? {})) expect(image['dependencies']).toHaveProperty([name]);
    for (const name of ['typescript', 'vitest', 'tsx', 'esbuild', 'aws-cdk-lib', 'cdk8s'])
      expect([name, existsSync(join(installed, 'node_modules', name))]).toEqual([name, false]);
    for (const name of ['@platformatic/kafka', '@aws-sdk/client-s3', '@duckdb/node-api'])
      expect([name, existsSync(join(installed, 'node_modules', name))]).toEqual([name, true]);
  });
});

describe('its command in a read-only sandbox without rights', () => {
  it('is where it cannot harm', async () => {
    const { out } = await ranIn(
      'sh',
      '-c',
      `id -u; id -G; for place in / /opt /usr /var/tmp /etc ${installed} "$HOME"; do touch "$place/x" 2>/dev/null && echo "wrote $place"; done; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status`,
    );
    expect(out.trim().split(/\n/)).toEqual([
      String(USER),
      String(USER),
      'wrote /tmp',
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
    ]);
  });

  it('loads everything that roles need', async () => {
    const script = `
      const load = (await import('node:module')).createRequire('${installed}/package/dist/bin/mlmon.js');
      for (const name of ['@platformatic/kafka', '@aws-sdk/client-s3', '@duckdb/node-api']) load(name);
      console.log('loaded');
    `;
    const { out, err } = await ranIn('node', '--input-type=module', '-e', script);
    expect([out, out === '' ? err : '']).toEqual(['loaded\n', '']);
  });

  it('runs the roles: takes an event, counts and captures it, shows the page, and ends in order', async () => {
    const [http, operations] = [await freePort(), await freePort()];
    writeFileSync(
      join(folder, 'run.yaml'),
      `schema: mlmon.run/v1
log: { folder: /tmp/log }
store: { folder: /tmp/store }
http: { port: ${http} }
operations: { port: ${operations} }
monitors: { folder: monitors }
archive: { maxAgeMs: 1000 }
drain: { waitMs: 200, limitMs: 20000 }
`,
    );
    await run(
      'sh',
      ['-c', 'mkdir -p monitors && echo "{ model: churn, features: { age: { type: numeric } } }" >monitors/churn.yaml'],
      { cwd: folder },
    );
    const roles = 'collector,archiver,profiler,evaluator,labeler,notifier,page';
    const program = sandboxed('node', launcher, 'run', '--roles', roles, '--config', join(folder, 'run.yaml'));
    await program.says(/ready: /);
    expect((await fetch(`http://127.0.0.1:${operations}/readyz`)).status).toBe(200);
    const data = {
      id: '1',
      type: 'inference',
      model: 'churn',
      version: '1',
      time: new Date().toISOString(),
      numeric: { age: 3 },
    };
    const sent = await fetch(`http://127.0.0.1:${http}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: '1', source: 'test', type: 'ml.inference.v1', data }),
    });
    expect(sent.status).toBe(202);
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${operations}/metrics`)).text(),
      (text) => /records_processed_total 1\n/.test(text) && /records_captured_total 1\n/.test(text),
    );
    const page = await fetch(`http://127.0.0.1:${http}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    // As in a pod it is the first process of its namespace.
    const child = /^\d+/m.exec((await run('pgrep', ['-f', `^node ${launcher} run`])).out)?.[0] ?? '';
    expect(child).not.toBe('');
    process.kill(Number(child), 'SIGTERM');
    await program.says(/ended/);
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
});
