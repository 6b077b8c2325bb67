import { expect, it } from 'vitest';
import { LEAST_ROWS } from '../../lib/engine/score-judge.ts';
import { readWindowChoice } from '../../lib/local/window-choice.ts';

it('takes durations, and numbers of rows that can be judged', () => {
  expect(readWindowChoice('1d')).toEqual({ kind: 'duration', every: '1d' });
  expect(readWindowChoice('1000')).toEqual({ kind: 'rows', rows: 1_000 });
  expect(readWindowChoice(String(LEAST_ROWS))).toEqual({ kind: 'rows', rows: LEAST_ROWS });
  expect(readWindowChoice('1000000000')).toEqual({ kind: 'rows', rows: 1e9 });
  for (const wrong of [String(LEAST_ROWS - 1), '1000000001', '1e3', '-100', '100.5', '', 'day', '0d', ' 100'])
    expect(readWindowChoice(wrong), wrong).toMatchObject({ code: 'wrong-value', path: '--window' });
});
