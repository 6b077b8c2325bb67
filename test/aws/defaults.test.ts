/** What props say of their defaults is what applies. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import * as defaults from '../../lib/aws/defaults.ts';
import * as watching from '../../lib/aws/watching/watching-defaults.ts';
import { DEFAULT_METRIC_BUDGET } from '../../lib/cost/guard.ts';

const folder = resolve(import.meta.dirname, '../../lib/aws');
const constants: Readonly<Record<string, unknown>> = { ...defaults, ...watching, DEFAULT_METRIC_BUDGET };
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

/** `LOG_RETENTION: a month` → both parts; a description without a constant has none. */
const named = sources.flatMap(({ name, text }) =>
  [...text.matchAll(/@default ([A-Z][A-Z0-9_]{3,})(?:: ([^*\n]+?))?(?= \*\/|\n)/g)].map(([, constant = '', words]) => ({
    name,
    constant,
    words,
  })),
);

const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 30 * 86_400,
};

/** `5 minutes`, `a month`: seconds; other words: NaN. */
function seconds(words: string): number {
  const match = /^(\d+|an?) (second|minute|hour|day|month)s?$/.exec(words);
  if (match === null) return Number.NaN;
  return (/^an?$/.test(match[1]!) ? 1 : Number(match[1])) * SECONDS[match[2]!]!;
}

describe('documented defaults', () => {
  it('are found', () => {
    expect(named.length).toBeGreaterThan(20);
  });

  it('are constants that there are', () => {
    expect(named.filter(({ constant }) => !(constant in constants))).toEqual([]);
  });

  it('have the values that the comments say', () => {
    const wrong = named
      .filter(({ words }) => words !== undefined)
      .filter(({ constant, words = '' }) => {
        const value = constants[constant];
        if (value instanceof Duration) return seconds(words) !== value.toSeconds();
        // Retention of logs is an enumeration of days.
        if (/LOG_RETENTION$/.test(constant)) return seconds(words) !== Number(value) * 86_400;
        if (/BYTES/.test(constant)) return words !== `${Number(value) / 1e9} GB`;
        if (typeof value === 'string') return words.replaceAll("'", '') !== value;
        return words !== String(value);
      });
    expect(wrong).toEqual([]);
  });

  it('stand at every optional prop', () => {
    const silent = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/export interface (\w+Props|\w+Options)[^{]*\{([\s\S]*?)\n\}/g)].flatMap(
        ([, props, body = '']) =>
          [...body.matchAll(/((?:\s*\/\*\*[\s\S]*?\*\/)?)\s*readonly (\w+)\?:/g)]
            .filter(([, comment = '']) => !comment.includes('@default'))
            .map(([, , prop]) => `${name}: ${props}.${prop}`),
      ),
    );
    expect(silent).toEqual([]);
  });

  it('run functions on a runtime that is supported for half a year more', () => {
    const left = Date.parse(defaults.FUNCTION_RUNTIME_ENDS) - Date.now();
    expect(left / 86_400_000).toBeGreaterThan(180);
    expect(defaults.FUNCTION_RUNTIME.name).toBe('nodejs24.x');
  });

  it('give every function a size with a reason', () => {
    for (const [name, { reason, timeout }] of Object.entries(defaults.FUNCTION_SIZES))
      expect([name, reason.length > 5, timeout.toMinutes({ integral: false }) <= 15]).toEqual([name, true, true]);
  });
});
