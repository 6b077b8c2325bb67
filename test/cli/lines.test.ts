/** Questions and answers as streams: whatever comes, in whatever pieces, each line has its answer, in order. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerLines } from '../../lib/cli/answer-lines.ts';
import { answer } from '../../lib/cli/compare-answer.ts';
import { testNames } from '../../lib/engine/named-tests.ts';
import { dialectNames } from '../../lib/stats/dialects/index.ts';
import type { Answer } from './golden-questions.ts';

const io = (stdin: Readable, stdout: PassThrough) => ({
  stdin,
  stdout,
  stderr: new PassThrough(),
  terminal: false,
  cwd: '.',
  signal: new AbortController().signal,
});

async function answered(chunks: readonly Buffer[], longest?: number): Promise<string> {
  const stdout = new PassThrough();
  const written = text(stdout);
  await answerLines(io(Readable.from(chunks), stdout), 'compare', answer, longest);
  stdout.end();
  return written;
}

const parsed = (lines: string): Answer[] =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);

const question = (id: unknown, more: object = {}) =>
  JSON.stringify({ id, test: 'ks', type: 'numeric', reference: [1, 2, 3, 4], current: [2, 3, 4, 9], ...more });

const number = fc.oneof(
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(null, 'NaN', 'Infinity', '-Infinity', 'x', true, 1e308, -1e308, 5e-324, [], {}),
);
const nearlyNumbers = fc.array(
  fc.oneof({ weight: 30, arbitrary: fc.double({ noNaN: true }) }, { weight: 1, arbitrary: number }),
  { maxLength: 40 },
);
const categories = fc.array(fc.constantFrom('a', 'b', 'c', 1, true, null, ''), { maxLength: 30 });
const options = fc.oneof(
  fc.constant(undefined),
  fc.record(
    {
      alpha: fc.constantFrom(0.1, 'x', null, 2),
      threshold: fc.constantFrom(0.2, 'x', null),
      method: fc.constantFrom('auto', 'exact', 'asymp', 'robust', 'simple', 3),
      alternative: fc.constantFrom('less', 'greater', 'both'),
      bins: fc.constantFrom(1, 3, 0, 1e9),
      foo: fc.constant(1),
    },
    { requiredKeys: [] },
  ),
);
const asked = fc
  .record({
    id: fc.oneof(fc.string(), fc.integer(), fc.constantFrom(null, true, [1])),
    test: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...testNames()) }, { weight: 1, arbitrary: fc.string() }),
    type: fc.constantFrom('numeric', 'categorical', 'counts', 'numeric', 'other'),
    reference: fc.oneof(nearlyNumbers, categories, fc.array(fc.nat(30), { maxLength: 5 })),
    current: fc.oneof(nearlyNumbers, categories, fc.array(fc.nat(30), { maxLength: 5 })),
    options,
  })
  .map((one) => Buffer.from(JSON.stringify(one)));
const noise = fc.oneof(
  fc.string({ unit: 'binary' }).map((one) => Buffer.from(one.replaceAll('\n', ' '))),
  fc.uint8Array({ maxLength: 30 }).map((one) => Buffer.from(one).map((byte) => (byte === 10 ? 11 : byte)) as Buffer),
  fc.json().map((one) => Buffer.from(one.replaceAll('\n', ' '))),
  fc.constant(Buffer.from(' \r')),
);
const STATUSES = ['ok', 'drifted', 'insufficient-data', 'failed'];

describe('lines', () => {
  it('have an answer each, in order, whatever they hold and wherever they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 3, arbitrary: asked }, noise), { maxLength: 12 }),
        fc.integer({ min: 1, max: 300 }),
        fc.boolean(),
        async (lines, size, ends) => {
          const bytes = Buffer.concat(
            lines.flatMap((line, i) => (i + 1 < lines.length || ends ? [line, Buffer.from('\n')] : [line])),
          );
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            bytes.subarray(i * size, (i + 1) * size),
          );
          const out = await answered(chunks);
          expect(out).toBe(await answered([bytes]));
          const answers = parsed(out);
          const filled = lines
            .map((line, i) => ({ line, number: i + 1 }))
            .filter(({ line }) => line.toString().trim() !== '');
          expect(answers.length).toBe(filled.length);
          for (const [i, { line, number }] of filled.entries()) {
            const { id, status, reason, statistic, pValue } = answers[i]!;
            expect(STATUSES).toContain(status);
            if (statistic === null) expect(reason === null ? status : 'told').toBe(reason === null ? 'ok' : 'told');
            if (typeof pValue === 'number')
              expect(pValue >= 0 && (pValue <= 1 || answers[i]!['test'] === 'auto')).toBe(true);
            let given: unknown;
            try {
              given = (JSON.parse(line.toString()) as { readonly id?: unknown } | null)?.id;
            } catch {
              given = undefined;
            }
            if (typeof given === 'string' || typeof given === 'number')
              expect(JSON.stringify(id)).toBe(JSON.stringify(given));
            else expect(id).toBe(number);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('take CRLF, a byte order mark, blank lines and a last line without its end', async () => {
    const bytes = Buffer.from(`\uFEFF${question('a')}\r\n\r\n  \n${question('b')}\n\n${question(7)}`);
    expect(parsed(await answered([bytes])).map(({ id, status }) => [id, status])).toEqual([
      ['a', 'ok'],
      ['b', 'ok'],
      [7, 'ok'],
    ]);
    expect(await answered([])).toBe('');
  });

  it('that are not UTF-8 or too long are answered with their number', async () => {
    const lines = [
      question('a'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.alloc(900, 0x61),
      question('b'),
      Buffer.alloc(900, 0x61),
    ];
    const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
    for (const size of [7, 10_000]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const answers = parsed(await answered(chunks, size === 7 ? 500 : undefined));
      expect(answers.map(({ id }) => id)).toEqual(['a', 2, 3, 'b', 5]);
      expect(answers[1]!['reason']).toBe('not valid UTF-8');
      expect(answers[2]!['reason']).toBe(size === 7 ? 'the line is longer than 500 bytes' : 'not readable as JSON');
    }
  });

  it('are answered as they come, to a caller that waits', async () => {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const done = answerLines(io(stdin, stdout), 'compare', answer);
    for (const id of ['1', '2', '3']) {
      stdin.write(`${question(id)}\n`);
      const [chunk] = (await new Promise<Buffer[]>((next) => stdout.once('data', (data: Buffer) => next([data])))) as [
        Buffer,
      ];
      expect(JSON.parse(chunk.toString())).toMatchObject({ id, status: 'ok' });
    }
    stdin.end();
    await done;
  });

  it('are not read while nobody takes the answers', async () => {
    let given = 0;
    const many = 2_000;
    const source = Readable.from(
      (function* () {
        for (; given < many; given++) yield Buffer.from(`${question(given)}\n`);
      })(),
    );
    const stdout = new PassThrough({ highWaterMark: 1_024 });
    const done = answerLines(io(source, stdout), 'compare', answer);
    await new Promise((next) => setTimeout(next, 100));
    expect(given).toBeLessThan(many / 4);
    const all = text(stdout);
    await done;
    stdout.end();
    expect(parsed(await all).map(({ id }) => id)).toEqual(Array.from({ length: many }, (_, i) => i));
  });

  it('come out in order and alike from a process that shares them among its threads', async () => {
    const values = (i: number, n: number) => Array.from({ length: n }, (_, k) => Math.sin(i * 1e3 + k * k));
    const lines = Array.from({ length: 1_500 }, (_, i) =>
      i % 97 === 0
        ? '{"id":'
        : question(i, {
            test: ['ks', 'psi', 'wasserstein', 'energy', 'chi-square'][i % 5],
            reference: values(i, 60),
            current: values(i + 0.5, 40),
          }),
    );
    const input = `${lines.join('\n')}\n`;
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../bin/mlmon'), 'compare']);
    const written = text(child.stdout);
    child.stdin.end(input);
    const code = await new Promise((ended) => child.once('close', ended));
    expect(code).toBe(0);
    expect(await written).toBe(await answered([Buffer.from(input)]));
  }, 30_000);
});

describe('every name', () => {
  it('answers edge inputs with a number or a reason', () => {
    const sides: readonly (readonly unknown[])[] = [
      [],
      [null, null],
      [3],
      [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],
      ['NaN', 'Infinity', '-Infinity', 1],
      [1e308, -1e308, 1e308],
      [5e-324, 0, -0],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ];
    for (const test of [...testNames(), ...dialectNames()].filter((name) => name !== 'auto'))
      for (const reference of sides)
        for (const current of sides)
          for (const type of ['numeric', 'categorical']) {
            const found = answer({ test, type, reference: [...reference], current: [...current] }) as Answer;
            const { status, statistic, pValue, score, reason } = found;
            const what = JSON.stringify({ test, type, reference, current, found });
            expect(STATUSES, what).toContain(status);
            expect(
              [statistic, pValue, score].some((value) => Number.isNaN(value)),
              what,
            ).toBe(false);
            if (statistic === null && (score ?? null) === null) expect(typeof reason, what).toBe('string');
          }
  });
});
