/** Every golden case, sent through the commands as lines (test/fixtures/golden). */
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../lib/cli/command.ts';
import { command as compare } from '../../lib/cli/compare.ts';
import { command as measure } from '../../lib/cli/measure.ts';
import { type Answer, COMPARED, goldenQuestions, MEASURED } from './golden-questions.ts';

async function answers(command: Command, lines: readonly string[]): Promise<Answer[]> {
  const stdout = new PassThrough({ highWaterMark: 1 << 30 });
  const { signal } = new AbortController();
  const io = { stdin: Readable.from(lines), stdout, stderr: new PassThrough(), terminal: false, cwd: '.', signal };
  expect(await command.run([], io)).toBe(0);
  stdout.end();
  return (await text(stdout))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
}

describe.each([
  ['compare', compare, COMPARED],
  ['measure', measure, MEASURED],
] as const)('mlmon %s', (_, command, families) => {
  it.each(families)('agrees with the libraries on %s', async (family) => {
    const questions = goldenQuestions(family);
    expect(questions.length).toBeGreaterThan(5);
    const found = await answers(
      command,
      questions.map(({ question }) => `${JSON.stringify(question)}\n`),
    );
    expect(found.map(({ id }) => id)).toEqual(questions.map(({ question }) => question['id']));
    const wrong = questions.flatMap((one, i) => {
      const reason = one.wrong(found[i]!);
      const { test, metric, options } = one.question;
      const name = `${one.case} ${String(test ?? metric)} ${JSON.stringify(options ?? {})}`;
      return reason === null ? [] : [`${name}: expected ${reason}, got ${JSON.stringify(found[i])}`];
    });
    expect(wrong).toEqual([]);
  });
});
