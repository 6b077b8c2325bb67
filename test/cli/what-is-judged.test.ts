/** What of the data's quality is checked depends on what the monitor says, and whether labels are awaited on when the data end. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backtest } from '../../lib/local/backtest.ts';
import type { Report } from '../../lib/local/report.ts';
import { runCommand } from './run-command.ts';

const DAY = 86_400_000;
const START = Date.parse('2024-01-01T00:00:00Z');
const ROWS = 250;
const TRUTH =
  'model: m\ntask: binary-classification\npositive: "yes"\ncolumns: { time: at, score: score, prediction: said, truth: was }\ntruth: { horizon: 48h }\nwindow: { every: 1d }\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quality-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Days `from` up to and without `to`; `labelled`: days before this one have truth. */
async function data(name: string, [from, to]: readonly [number, number], labelled: number, more: object = {}) {
  const rows = Array.from({ length: (to - from) * ROWS }, (_, i) => {
    const day = from + Math.floor(i / ROWS);
    const yes = (i * 7919) % 100 < 40;
    return JSON.stringify({
      at: new Date(START + day * DAY + ((i % ROWS) * DAY) / ROWS).toISOString(),
      size: (i * 7877) % 1009,
      score: yes ? 0.8 : 0.3,
      said: yes ? 'yes' : 'no',
      was: day < labelled ? ((i * 104_729) % 100 < 10 ? (yes ? 'no' : 'yes') : yes ? 'yes' : 'no') : null,
      ...more,
    });
  });
  await writeFile(join(folder, name), rows.join('\n'));
}

describe('the quality of a report', () => {
  const checks = async (...more: string[]): Promise<Record<string, string>> => {
    const argv = ['report', '--reference', 'a.ndjson', '--current', 'b.ndjson', '--json', ...more];
    const { quality } = JSON.parse((await runCommand(folder, argv)).out) as Report;
    const kinds = quality.filter(({ check }) => check === 'new-feature' || check === 'duplicates');
    return Object.fromEntries(kinds.map(({ check, feature, status }) => [feature ?? check, status]));
  };

  it('tells of columns that came unless the monitor lists its features, and of repeated ids where a column is the id', async () => {
    await data('a.ndjson', [0, 4], 0, { order: 1 });
    await data('b.ndjson', [4, 8], 0, { order: 1, extra: 'x' });
    expect(await checks()).toEqual({ extra: 'drifted' });
    await writeFile(join(folder, 'open.yaml'), 'model: m\ncolumns: { id: order }\n');
    expect(await checks('--monitor', 'open.yaml')).toEqual({ extra: 'drifted', duplicates: 'drifted' });
    await writeFile(join(folder, 'closed.yaml'), 'model: m\nfeatures: { size: { type: numeric } }\n');
    expect(await checks('--monitor', 'closed.yaml')).toEqual({});
  });
});

describe('the performance of a report', () => {
  it('is judged where labels are, and not at all where none is', async () => {
    await writeFile(join(folder, 'truth.yaml'), TRUTH);
    await data('labelled.ndjson', [0, 4], 4);
    await data('more.ndjson', [4, 8], 8);
    await data('none.ndjson', [4, 8], 0, { was: null });
    const performance = async (current: string): Promise<unknown> => {
      const sides = ['--reference', 'labelled.ndjson', '--current', current];
      const { out } = await runCommand(folder, ['report', ...sides, '--monitor', 'truth.yaml', '--json']);
      return (JSON.parse(out) as Report).performance;
    };
    expect(await performance('more.ndjson')).toMatchObject({ status: 'ok', labels: 1_000 });
    expect(await performance('none.ndjson')).toBe(null);
  });
});

describe('a replay of data that ends', () => {
  it('does not call labels missing that were awaited then, and tells once of those that stay away', async () => {
    await data('history.ndjson', [0, 28], 28);
    await data('awaited.ndjson', [28, 38], 36);
    await data('missing.ndjson', [28, 38], 33);
    await writeFile(join(folder, 'truth.yaml'), TRUTH);
    const alerts = async (name: string) => {
      const argv = ['backtest', '--reference', 'history.ndjson', '--data', name, '--monitor', 'truth.yaml', '--json'];
      const { out } = await runCommand(folder, argv);
      return (JSON.parse(out) as Backtest).alerts.map(({ signal, features, opened }) => [signal, features, opened]);
    };
    expect(await alerts('awaited.ndjson')).toEqual([]);
    expect(await alerts('missing.ndjson')).toEqual([['blind', ['labels'], new Date(START + 34 * DAY).toISOString()]]);
  });
});
