/** A batch of lines, each a JSON object, answered one a line. */
import { isUtf8 } from 'node:buffer';
import { type Answer, type AnswerOf, BadLineError, type Question } from './questions.ts';

const NEWLINE = 10;
/** Of a reason, characters. */
const REASON = 300;

/**
 * Bytes of whole lines, the last with or without its end. Empty lines have no answer. `first`: the number of the first line, from 1.
 */
export async function answerBatch(bytes: Buffer, first: number, answer: AnswerOf): Promise<string> {
  const valid = isUtf8(bytes);
  let text = '';
  let number = first;
  for (let from = 0; from < bytes.length; number++) {
    const found = bytes.indexOf(NEWLINE, from);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(from, end);
    from = end + 1;
    // No `await` where nothing is waited for: it would let the whole queue run after every line.
    const answered = answerLine(line, number, valid, answer);
    text += typeof answered === 'string' ? answered : await answered;
  }
  return text;
}

export function failedLine(id: unknown, reason: string): string {
  return lineOf({ id, status: 'failed', reason: reason.slice(0, REASON) });
}

function answerLine(line: Buffer, number: number, valid: boolean, answer: AnswerOf): string | Promise<string> {
  let id: unknown = number;
  const failed = (error: unknown): string => failedLine(id, error instanceof Error ? error.message : String(error));
  try {
    if (!valid && !isUtf8(line)) throw new BadLineError('not valid UTF-8');
    let json = line.toString();
    if (number === 1 && json.startsWith('\uFEFF')) json = json.slice(1);
    if (json.length < 3 && json.trim() === '') return '';
    let question: unknown;
    try {
      question = JSON.parse(json);
    } catch {
      if (json.trim() === '') return '';
      throw new BadLineError('not readable as JSON');
    }
    if (typeof question !== 'object' || question === null || Array.isArray(question))
      throw new BadLineError('not a JSON object');
    const given = (question as Question)['id'];
    if (typeof given === 'string' || typeof given === 'number') id = given;
    const answered = answer(question as Question);
    if (!(answered instanceof Promise)) return lineOf({ id, ...answered });
    return answered.then((one) => lineOf({ id, ...one }), failed);
  } catch (error) {
    return failed(error);
  }
}

/** Doubles that JSON has no word for are text. Answers are flat: several times as fast as `JSON.stringify` with a replacer. */
function lineOf(answer: Answer): string {
  let line = '{';
  for (const key in answer) {
    const value = answer[key];
    if (value !== undefined) line += `${line === '{' ? '' : ','}"${key}":${jsonOf(value)}`;
  }
  return `${line}}\n`;
}

function jsonOf(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? (value === 0 ? '0' : `${value}`) : `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  return JSON.stringify(value);
}
