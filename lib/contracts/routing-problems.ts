/** What is wrong with routes and mutes, beside channels of known names. */
import type { Mute, Route } from './alerting.ts';
import { nearest, type Problem, shown } from './problem.ts';

/** RFC 3339: a date, a time, and a zone, without which it would be another time on every machine. */
export const TIME_WITH_ZONE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export function routingProblems(
  { routes, mutes }: { readonly routes: readonly Route[]; readonly mutes: readonly Mute[] },
  names: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  for (const [i, { channels }] of routes.entries())
    for (const name of channels)
      if (!names.includes(name)) {
        const near = nearest(name, names);
        problems.push({
          code: 'unknown-channel',
          path: `routes.${i}.channels`,
          message: 'no channel has this name',
          got: shown(name),
          expected: names.length === 0 ? 'channels to route to' : `one of ${names.join(', ')}`,
          ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
        });
      }
  for (const [i, { from, until }] of mutes.entries()) {
    for (const [key, text] of Object.entries({ from, until }))
      if (text !== undefined && !(TIME_WITH_ZONE.test(text) && !Number.isNaN(Date.parse(text))))
        problems.push({
          code: 'time',
          path: `mutes.${i}.${key}`,
          message: 'is no time',
          got: shown(text),
          expected: 'RFC 3339 with its zone, e.g. 2026-12-24T18:00:00Z',
        });
    if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until))
      problems.push({
        code: 'time-order',
        path: `mutes.${i}.until`,
        message: 'does not lie after `from`',
        got: shown(until),
        expected: `after ${from}`,
      });
  }
  return problems;
}
