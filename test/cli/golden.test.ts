/** Every golden case, sent through the commands as lines (test/fixtures/golden). */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Answer, COMPARED, goldenQuestions, MEASURED } from './golden-questions.ts';
import { runCommand } from './run-command.ts';

async function answers(command: string, lines: readonly string[]): Promise<Answer[]> {
  const { code, out } = await runCommand('.', [command], Readable.from(lines));
  expect(code).toBe(0);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
}

describe.each([
  ['compare', COMPARED],
  ['measure', MEASURED],
] as const)('mlmon %s', (command, families) => {
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
