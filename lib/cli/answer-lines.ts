/**
 * Questions on standard input, one JSON object a line, and answers on standard output, one a line, in order. A bad line is answered as
 * `failed` with its id, or its number, and the rest go on. Memory holds one line and what the reader has not taken yet.
 */
import { once } from 'node:events';
import type { CommandIo } from './command.ts';

/** Longest line, characters. */
const LONGEST = 134_217_728;
/** Answers gathered before they are written. */
const CHUNK = 65_536;
const REASON = 300;

/** A line that is no question: told to whoever asked. */
export class BadLineError extends Error {
  override readonly name = 'BadLineError';
}

export type Answer = Readonly<Record<string, unknown>>;

export async function answerLines(
  io: CommandIo,
  answer: (question: Readonly<Record<string, unknown>>) => Answer,
): Promise<void> {
  let pending: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    const text = pending.join('');
    pending = [];
    size = 0;
    if (!io.stdout.write(text)) await once(io.stdout, 'drain');
  };
  let number = 0;
  for await (const line of linesOf(io.stdin)) {
    number++;
    if (line !== null && line.trim() === '') continue;
    const text = `${JSON.stringify(answerOf(line, number, answer), written)}\n`;
    pending.push(text);
    size += text.length;
    if (size >= CHUNK) await flush();
    if (io.signal.aborted) break;
  }
  await flush();
}

function answerOf(
  line: string | null,
  number: number,
  answer: (question: Readonly<Record<string, unknown>>) => Answer,
): Answer {
  let id: unknown = number;
  try {
    if (line === null) throw new BadLineError(`the line is longer than ${LONGEST} characters`);
    let question: unknown;
    try {
      question = JSON.parse(line);
    } catch {
      throw new BadLineError('not readable as JSON');
    }
    if (typeof question !== 'object' || question === null || Array.isArray(question))
      throw new BadLineError('not a JSON object');
    const given = (question as Readonly<Record<string, unknown>>)['id'];
    if (typeof given === 'string' || typeof given === 'number') id = given;
    return { id, ...answer(question as Readonly<Record<string, unknown>>) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { id, status: 'failed', reason: reason.slice(0, REASON) };
  }
}

/** Doubles that JSON has no word for are text. */
function written(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** `null` stands for a line that is too long. */
async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  let tooLong = false;
  const take = (): string | null => {
    const line = tooLong ? null : parts.join('');
    parts = [];
    length = 0;
    tooLong = false;
    return line;
  };
  for await (const chunk of input) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let at = text.indexOf('\n'); ; at = text.indexOf('\n', from)) {
      const part = at < 0 ? text.slice(from) : text.slice(from, at);
      length += part.length;
      if (length > LONGEST) {
        tooLong = true;
        parts = [];
      } else if (part !== '') parts.push(part);
      if (at < 0) break;
      from = at + 1;
      yield take();
    }
  }
  if (length > 0) yield take();
}

/** Of numbers, `null` for missing, and the text of doubles that JSON has no word for. */
export function numbersOf(value: unknown, name: string): (number | null)[] {
  if (!Array.isArray(value)) throw new BadLineError(`${name}: expected an array of numbers`);
  const numbers = value as (number | null)[];
  for (const [i, one] of (value as unknown[]).entries()) {
    if (typeof one === 'number' || one === null) continue;
    if (one !== 'NaN' && one !== 'Infinity' && one !== '-Infinity')
      throw new BadLineError(`${name}[${i}]: expected a number, null, "NaN", "Infinity" or "-Infinity"`);
    numbers[i] = Number(one);
  }
  return numbers;
}

/** Of text, numbers or booleans, `null` for missing. */
export function categoriesOf(value: unknown, name: string): (string | number | boolean | null)[] {
  if (!Array.isArray(value)) throw new BadLineError(`${name}: expected an array of categories`);
  for (const [i, one] of (value as unknown[]).entries())
    if (one !== null && typeof one === 'object')
      throw new BadLineError(`${name}[${i}]: expected text, a number, true, false or null`);
  return value as (string | number | boolean | null)[];
}
