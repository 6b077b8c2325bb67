/** The README's five minutes, as they are written there, on made-up data: from a file to an alert, in a folder of one's own. */
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertsAnswer, HealthAnswer, ModelAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import { CHECKOUT, endAll, eventually, freePort, getJson, Program, run } from './programs.ts';

const HEADING = '## Your own model, in five minutes';

let folder: string;
let url: string;
let port: number;
/** Code blocks of the README's section, by language. */
const blocks: { readonly language: string; readonly code: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'first-monitor-'));
  // The commands name the checkout's `bin/mlmon`; nothing else of the checkout is there.
  await symlink(join(CHECKOUT, 'bin'), join(folder, 'bin'));
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const readme = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
  const from = readme.indexOf(HEADING);
  const section = readme.slice(from, readme.indexOf('\n## ', from + HEADING.length));
  for (const [, language = '', code = ''] of section.matchAll(/```(\w+)\n([\s\S]*?)```/g))
    blocks.push({ language, code });
  const made = await run('python3', [join(CHECKOUT, 'examples/python/make_churn.py'), folder]);
  expect([made.code, made.err]).toEqual([0, '']);
});
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const shell = (command: string): ReturnType<typeof run> => run('bash', ['-c', command], { cwd: folder });
const codeOf = (language: string, at = 0): string =>
  blocks.filter((block) => block.language === language)[at]?.code.replaceAll('127.0.0.1:7007', `127.0.0.1:${port}`) ??
  '';
const commands = (): Record<string, string> =>
  Object.fromEntries(
    codeOf('sh')
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '')
      .map((line) => [line.split(' ')[1] ?? '', line]),
  );

describe.sequential('the five minutes of the README', () => {
  it('are these commands', () => {
    expect(Object.keys(commands())).toEqual(['init', 'validate', 'backfill', 'serve']);
    expect(blocks.map(({ language }) => language)).toEqual(['sh', 'python', 'sh']);
  });

  it('are the commands of the tutorial too', async () => {
    const tutorial = await readFile(join(CHECKOUT, 'docs/tutorial/first-monitor.md'), 'utf8');
    for (const command of [...Object.values(commands()), 'python3 examples/python/make_churn.py'])
      expect(tutorial.split('\n')).toContain(command);
  });

  it('init writes a monitor that fits the data', async () => {
    const { code, out, err } = await shell(commands()['init'] ?? '');
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^monitors\/churn\.yaml: written; next: mlmon serve --monitors monitors\/churn\.yaml$/m);
    const written = await readFile(join(folder, 'monitors/churn.yaml'), 'utf8');
    for (const line of [
      /^model: churn$/m,
      /^task: binary-classification$/m,
      // Told by the scores: neither class has a usual name.
      /^positive: leaves /m,
      /^columns: \{ (?=.*id: id)(?=.*score: score)(?=.*time: at)(?=.*prediction: predicted)(?=.*truth: churned).* \}$/m,
      /^baseline: \{ from: "\.\.\/reference\.csv" \}$/m,
      /^ {2}monthly: \{ type: numeric, policy: keep \}/m,
      /^ {2}plan: \{ type: categorical, policy: keep \} {3}# 3 categories$/m,
      // With the default of 200 no window of this data would ever be judged.
      /^window: \{ every: 1d, .*minimumRows: 84 \} {3}# about 167 rows each/m,
    ])
      expect(written).toMatch(line);
  });

  it('init does not write over what is there', async () => {
    const { code, err } = await shell(commands()['init'] ?? '');
    expect([code, err.split('\n')[0]]).toEqual([
      2,
      'monitors/churn.yaml: exists already; give --force to write over it',
    ]);
  });

  it('validate finds it right, and says what is wrong', async () => {
    const right = await shell(commands()['validate'] ?? '');
    expect([right.code, right.out]).toEqual([0, 'monitors/churn.yaml: valid, monitors churn\n']);
    const text = await readFile(join(folder, 'monitors/churn.yaml'), 'utf8');
    await writeFile(
      join(folder, 'wrong.yaml'),
      text.replace('budget:', 'bugdet:').replace('every: 1d', 'every: daily'),
    );
    const wrong = await shell('bin/mlmon validate wrong.yaml');
    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(wrong.err).toMatch(/wrong\.yaml: bugdet: unknown key.*did you mean budget\?/);
    expect(wrong.err).toMatch(/wrong\.yaml: window\.every: .*daily/);
  });

  it('backfill brings a week in', async () => {
    const { code, out } = await shell(commands()['backfill'] ?? '');
    expect([code, out]).toEqual([0, 'churn: 1,169 events and 1,169 labels brought in, 0 refused\n']);
  });

  it('serve shows what it found, and alerts', async () => {
    const serve = new Program('bash', ['-c', `exec ${commands()['serve']} --port ${port}`], { cwd: folder });
    await serve.says(new RegExp(`^open ${url}/ — events to ${url}/v1/events`, 'm'));
    expect(serve.out).toMatch(
      /^churn: monitor 1 from .*churn\.yaml, in force from \d{4}-\d\d-\d\dT00:00:00\.000Z; baseline 1 of version 1, 5,010 rows$/m,
    );
    const { alerts } = await getJson<AlertsAnswer>(`${url}/api/alerts`);
    expect(alerts).toMatchObject([{ model: 'churn', version: '1', signal: 'drift', state: 'open' }]);
    expect(alerts[0]?.features.map(({ name }) => name).sort()).toEqual(['monthly', 'plan']);
    const { windows, performance } = await getJson<WindowsAnswer>(`${url}/api/models/churn/windows?length=1d`);
    expect(windows.slice(0, 7).map(({ rows, status }) => [rows, status])).toEqual([
      ...Array.from({ length: 5 }, () => [167, 'ok']),
      [167, 'drifted'],
      [167, 'drifted'],
    ]);
    expect(performance.slice(0, 5).map(({ labels, mature }) => [labels, mature])).toEqual(
      Array.from({ length: 5 }, () => [167, true]),
    );
    expect(performance[0]?.metrics.find(({ metric }) => metric === 'roc-auc')?.value).toBeGreaterThan(0.6);
    const { baselines } = await getJson<ModelAnswer>(`${url}/api/models/churn`);
    expect(baselines).toMatchObject([{ version: '1', n: 1, rows: 5_010, approved: { by: 'mlmon backfill' } }]);
    expect(baselines[0]?.source).toMatch(/^reference\.csv \(/);
  });

  it('takes events from Python and from curl', async () => {
    const before = (await getJson<HealthAnswer>(`${url}/api/health`)).health.counts;
    await writeFile(join(folder, 'service.py'), codeOf('python'));
    const python = await run('python3', ['service.py'], {
      cwd: folder,
      env: { PYTHONPATH: join(CHECKOUT, 'examples/python') },
    });
    expect([python.code, python.out, python.err]).toEqual([0, '', '']);
    const curl = await shell(codeOf('sh', 1));
    expect(curl.out).toMatch(/^HTTP\/1\.1 202 /);
    expect(curl.out).toContain('{"accepted":1,"quarantined":0,"reasons":[]}');
    const { health } = await eventually(
      () => getJson<HealthAnswer>(`${url}/api/health`),
      ({ health: { counts } }) => counts.received >= before.received + 3,
    );
    expect(health.counts).toMatchObject({
      received: before.received + 3,
      profiled: before.profiled + 2,
      labels: before.labels + 1,
      quarantined: {},
      beyond: 0,
    });
  });
});
