/** `--output` of the commands that write: a wrong name is told before the work, a missing folder is made. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../lib/cli/command.ts';
import { runCommand, type Said } from './run-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'output-'));
  const rows = Array.from({ length: 400 }, (_, i) => ({
    at: new Date(Date.parse('2024-01-01T00:00:00Z') + i * 3_600_000).toISOString(),
    size: (i * 37) % 101,
  }));
  await writeFile(join(folder, 'rows.ndjson'), rows.map((row) => JSON.stringify(row)).join('\n'));
  await writeFile(join(folder, 'm.yaml'), 'model: m\n');
  await mkdir(join(folder, 'there'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  report: ['report', '--reference', 'rows.ndjson', '--current', 'rows.ndjson'],
  profile: ['profile', 'rows.ndjson', '--monitor', 'm.yaml'],
  backtest: ['backtest', '--reference', 'rows.ndjson', '--data', 'rows.ndjson', '--time', 'at', '--window', '1h'],
  init: ['init', '--reference', 'rows.ndjson', '--model', 'm'],
};

describe.each(Object.entries(COMMANDS))('mlmon %s -o', (name, argv) => {
  const write = (output: string, ...more: readonly string[]): Promise<Said> =>
    runCommand(folder, [...argv, ...more, '-o', output]);

  it('makes the folders that are missing, and writes what would have been printed', async () => {
    const { code, out, err } = await write(`new-${name}/deep/result`);
    expect({ code, out }).toEqual({ code: EXIT.nothingFound, out: '' });
    expect(err).not.toContain('    at ');
    const printed = await runCommand(folder, argv);
    const written = await readFile(join(folder, `new-${name}/deep/result`), 'utf8');
    expect(withoutPlace(written)).toBe(withoutPlace(printed.out));
    expect(written.length).toBeGreaterThan(50);
  });

  it.each([
    ['there', 'is a folder; name a file in it'],
    ['rows.ndjson/result', 'cannot be written: a part of its path is a file; name another with --output'],
    ['x'.repeat(300), 'cannot be written: its name is too long; name another with --output'],
  ])('says what is wrong with %.20s', async (output, expected) => {
    const before = await readdir(folder);
    expect(await write(output)).toEqual({ code: EXIT.wrongUse, out: '', err: `${output}: ${expected}\n` });
    expect(await readdir(folder)).toEqual(before);
  });

  it('says so before the data are read', async () => {
    const missing = argv.map((word) => (word === 'rows.ndjson' ? 'missing.ndjson' : word));
    const { code, err } = await runCommand(folder, [...missing, '-o', 'there']);
    expect(code).toBe(EXIT.wrongUse);
    expect(err.split('\n')[0]).toBe('there: is a folder; name a file in it');
  });
});

/** `init` names the reference as it is seen from the file that it writes. */
const withoutPlace = (text: string): string => text.replace(/"?(?:..\/..\/)?rows.ndjson"?/, 'rows.ndjson');

describe('mlmon init -o', () => {
  it('keeps a file that exists, and says so before the data are read', async () => {
    await writeFile(join(folder, 'kept.yaml'), 'mine');
    const init = ['init', '--model', 'm', '-o', 'kept.yaml', '--reference'];
    expect(await runCommand(folder, [...init, 'missing.ndjson'])).toEqual({
      code: EXIT.wrongUse,
      out: '',
      err: 'kept.yaml: exists already; give --force to write over it\n',
    });
    expect(await readFile(join(folder, 'kept.yaml'), 'utf8')).toBe('mine');
    expect((await runCommand(folder, [...init, 'rows.ndjson', '--force'])).code).toBe(EXIT.nothingFound);
    expect(await readFile(join(folder, 'kept.yaml'), 'utf8')).toContain('model: m');
  });
});

describe('mlmon render -o', () => {
  it.each([
    ['rows.ndjson', 'rows.ndjson/runbook.md', 'a part of its path is a file'],
    ['x'.repeat(300), `${'x'.repeat(300)}/runbook.md`, 'its name is too long'],
  ])('says what is wrong with %.20s', async (output, file, why) => {
    expect(await runCommand(folder, ['render', 'runbook', '-o', output])).toEqual({
      code: EXIT.wrongUse,
      out: '',
      err: `${file}: cannot be written: ${why}; name another with --output\n`,
    });
  });
});
