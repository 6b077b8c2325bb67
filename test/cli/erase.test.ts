/** `mlmon erase` on a platform that runs, and on its folder. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal } from '../../lib/adapters/duckdb/load.ts';
import { ERASURE_LIMITS, type ErasureReport, type ErasureRequest } from '../../lib/contracts/erasure.ts';
import type { Platform } from '../../lib/local/platform.ts';
import { verifyAudit } from '../../lib/pipeline/audit.ts';
import { eventually, replayedPlatform, sent } from '../local/replayed-platform.ts';
import { runCommand } from './run-command.ts';

const HOUR = 3_600_000;
const START = Date.parse('2001-02-01T00:00:00Z');
let folder: string;
let platform: Platform;
const failures: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'erase-'));
  platform = await replayedPlatform(folder, START, failures);
  await sent(
    platform,
    '/api/monitors/flights',
    { monitor: { model: 'flights', features: { distance: { type: 'numeric' } } } },
    { clock: START, method: 'PUT' },
  );
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
  expect(failures).toEqual([]);
});

const run = (argv: readonly string[], stdin = '') => runCommand(folder, ['erase', ...argv], stdin);
const send = (ids: readonly string[], hours: number) =>
  sent(
    platform,
    '/v1/events',
    {
      specversion: '1.0',
      id: 'r',
      source: '/test',
      type: 'ml.inference.v1',
      data: ids.map((id) => ({
        id,
        type: 'inference',
        model: 'flights',
        version: '1',
        time: new Date(START + hours * HOUR - 60_000).toISOString(),
        numeric: { distance: 1 },
      })),
    },
    { clock: START + hours * HOUR, method: 'POST' },
  );

async function captured(): Promise<string[]> {
  const files = (await platform.store.list('capture/')).map((key) => literal(platform.store.path(key)));
  if (files.length === 0) return [];
  const rows = await platform.db.rows(`SELECT id FROM read_parquet([${files.join(', ')}]) ORDER BY id`);
  return rows.map(({ id }) => String(id));
}

describe('mlmon erase', () => {
  it('erases on a platform that runs, what is there and what lands later, and says what it cannot reach', async () => {
    await send(['a', 'b', 'c', 'u-17'], 1);
    await send(['d'], 3);
    await eventually(captured, (ids) => ids.includes('c'));
    const there = await run(
      ['--model', 'flights', '--ids', '-', '--platform', platform.url, '--by', 'ann'],
      'b\nu-17\n',
    );
    expect(there).toMatchObject({ code: 0, err: '' });
    expect(there.out).toMatch(/^2 ids of flights\n {2}capture\/ +\d+ objects? read, 1 changed, 2 events taken out/);
    for (const { where } of ERASURE_LIMITS) expect(there.out).toContain(where);
    expect(there.out).not.toContain('u-17');
    expect(await captured()).not.toEqual(expect.arrayContaining(['b']));
    expect(await run(['--list', '--platform', platform.url])).toMatchObject({ err: '' });
    expect((await run(['--list', '--platform', platform.url])).out).toMatch(/^flights {2}2 ids {2}asked .* by ann/);

    await send(['e', 'u-17'], 5);
    await send(['f'], 7);
    await eventually(captured, (ids) => ids.includes('e'));
    const again = await run(['--again', '--platform', platform.url, '--json']);
    expect(again.code).toBe(0);
    expect(await captured()).toEqual(expect.arrayContaining(['a', 'c', 'd', 'e']));
    expect(await captured()).not.toContain('u-17');
  });

  it('erases in the folder of a platform, and changes nothing in a dry run', async () => {
    const before = await captured();
    const dry = await run(['--model', 'flights', '--id', 'a', '--data', '.', '--dry-run', '--json']);
    expect((JSON.parse(dry.out) as { report: ErasureReport }).report.reached[0]).toMatchObject({
      changed: 1,
      erased: 1,
    });
    expect(await captured()).toEqual(before);
    expect(await run(['--model', 'flights', '--id', 'a', '--data', '.'])).toMatchObject({ code: 0 });
    expect(await captured()).toEqual(before.filter((id) => id !== 'a'));
    expect(await verifyAudit(platform.store)).toMatchObject({ broken: null });
  });

  it.each([
    [['--model', 'flights'], /--ids: names no id/],
    [['--id', 'x'], /--model: is missing/],
    [['--again', '--model', 'm'], /stands alone/],
    [['--model', 'm', '--id', 'x', '--remember', 'soon'], /--remember: is not a duration/],
    [['--model', 'm', '--id', 'x', '--data', 'nowhere'], /no data folder/],
    [['--model', 'm', '--id', 'x', '--data', '.', '--platform', 's3://b-b'], /two platforms/],
    [['--model', 'M', '--id', 'x', '--data', '.'], /no name of a model/],
  ])('refuses %j', async (argv, said) => {
    const { code, err } = await run(argv);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });

  it('says of a file of ids that cannot be read which', async () => {
    await writeFile(join(folder, 'empty'), '');
    expect(await run(['--model', 'm', '--ids', 'empty', '--data', '.'])).toMatchObject({ code: 2 });
    expect(await run(['--model', 'm', '--ids', 'absent', '--data', '.'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--ids absent: cannot be read, got ENOENT; expected a file/),
    });
  });

  it('takes files of ids as other systems write them: with a mark, CRLF, empty lines and repeats', async () => {
    await writeFile(join(folder, 'windows'), '\ufeffone\r\n\r\nzwölf\r\none\r\n   \r\n');
    const ids = ['--model', 'flights', '--ids', 'windows', '--data', '.', '--dry-run'];
    expect(await run(ids)).toMatchObject({ code: 0, out: expect.stringMatching(/^2 ids of flights, dry run/) });
    const marks = async (): Promise<string[]> => {
      const { out } = await run(['--list', '--json', '--data', '.']);
      return [...new Set((JSON.parse(out) as ErasureRequest[]).flatMap((one) => one.marks))].sort();
    };
    const without = await marks();
    expect((await run(['--model', 'flights', '--id', 'one', '--id', 'zwölf', '--data', '.'])).code).toBe(0);
    const named = await marks();
    expect(named).toHaveLength(without.length + 2);
    // No others: what was read is what was meant.
    expect((await run(['--model', 'flights', '--ids', 'windows', '--data', '.'])).code).toBe(0);
    expect(await marks()).toEqual(named);
  });

  it('refuses a file of ids that holds more than ids, all lines at once, and repeats none of it', async () => {
    await writeFile(join(folder, 'padded'), 'fine\nsecret-1 \n\tsecret-2\nsecret\r3\n');
    const { code, err } = await run(['--model', 'flights', '--ids', 'padded', '--data', '.']);
    expect(code).toBe(2);
    expect(
      err
        .trim()
        .split('\n')
        .map((line) => line.split(';')[0]),
    ).toEqual(
      [2, 3, 4].map((at) => `--ids padded: line ${at}: holds white space around the id, or a control character`),
    );
    expect(err).not.toContain('secret');
    await writeFile(join(folder, 'latin'), Buffer.from('zw\xf6lf\n', 'latin1'));
    await writeFile(join(folder, 'utf16'), Buffer.from('\ufeffone\n', 'utf16le'));
    for (const name of ['latin', 'utf16'])
      expect(await run(['--model', 'flights', '--ids', name, '--data', '.'])).toMatchObject({
        code: 2,
        err: expect.stringMatching(/is not text in UTF-8; expected UTF-8/),
      });
    const many = Array.from({ length: 1_001 }, (_, i) => `id-${i}`).join('\n');
    expect(await run(['--model', 'flights', '--ids', '-', '--data', '.'], many)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/got 1001; expected 1 to 1000 ids a request; ask for 1000 at a time: `split -l 1000`/),
    });
  });
});
