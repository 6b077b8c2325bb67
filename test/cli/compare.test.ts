import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

async function compare(lines: readonly (string | object)[]): Promise<Record<string, unknown>[]> {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  // Cut where no line ends: the command must not depend on it.
  const bytes = Buffer.from(input);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
  const { code, out } = await runCommand('.', ['compare'], Readable.from(chunks));
  expect(code).toBe(0);
  const answers = out.split('\n').filter((line) => line !== '');
  return answers.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const question = {
  id: 'q',
  test: 'ks',
  type: 'numeric',
  reference: [1, 2, 3, 4, 5, 6],
  current: [11, 12, 13, 14, 15, 16],
};

describe('mlmon compare', () => {
  it('answers each line in order', async () => {
    const answers = await compare([
      question,
      { ...question, id: 7, test: 'ks_2samp@scipy', options: { method: 'exact', threshold: 0.01 } },
    ]);
    expect(answers).toEqual([
      {
        id: 'q',
        test: 'ks',
        status: 'drifted',
        statistic: 1,
        pValue: expect.closeTo(2 / 924, 12),
        threshold: 0.05,
        effect: expect.any(Number),
        reason: null,
      },
      expect.objectContaining({ id: 7, score: expect.closeTo(2 / 924, 12), threshold: 0.01, drifted: true }),
    ]);
  });

  it('answers bad lines with their id or number, and goes on', async () => {
    const answers = await compare([
      '{"id":"cut",',
      '[1]',
      '',
      { id: 'a', test: 'ks', type: 'number', reference: [], current: [] },
      { id: 'b', test: 'ks', type: 'numeric', reference: [1, 'two'], current: [1] },
      { id: 'c', test: 'ks', type: 'categorical', reference: ['a'], current: ['b'] },
      { id: 'd', test: 'psi', type: 'categorical', reference: [{}], current: ['b'] },
      { id: 'e', test: 'nothing', type: 'numeric', reference: [1], current: [1] },
      question,
    ]);
    expect(answers.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      [1, 'failed', 'not readable as JSON'],
      [2, 'failed', 'not a JSON object'],
      ['a', 'failed', 'type: expected numeric, categorical or counts'],
      ['b', 'failed', 'reference[1]: expected a number, null, "NaN", "Infinity" or "-Infinity"'],
      ['c', 'failed', 'for numeric columns only'],
      ['d', 'failed', 'reference[0]: expected text, a number, true, false or null'],
      ['e', 'failed', expect.stringContaining('unknown test')],
      ['q', 'drifted', null],
    ]);
  });

  it('reads and writes the doubles that JSON has no word for', async () => {
    const [missing, infinite] = await compare([
      { ...question, reference: [1, null, 'NaN', 2, 3, 'Infinity', 4], current: [1, 2, '-Infinity', 3, 4] },
      { id: 'x', test: 'chisquare@evidently', type: 'categorical', reference: ['a', 'b'], current: ['a', 'c'] },
    ]);
    expect(missing).toMatchObject({ status: 'ok', statistic: 0 });
    expect(infinite).toMatchObject({ statistic: 'Infinity', pValue: 0, drifted: true });
  });
});
