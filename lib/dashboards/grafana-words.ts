/** How codes are told in Grafana: text and colour of each value. Colours of Grafana's palette, which follow its theme. */
import type { Words } from './board.ts';
import { SEVERITY_CODE, VERDICT_CODE } from './promql.ts';

interface Told {
  readonly text: string;
  readonly color: string;
}

const WORDS: Readonly<Record<Words, readonly (readonly [code: number, told: Told])[]>> = {
  verdict: [
    [VERDICT_CODE.ok, { text: 'ok', color: 'green' }],
    [VERDICT_CODE.learning, { text: 'learning', color: 'light-blue' }],
    [VERDICT_CODE['insufficient-data'], { text: 'insufficient data', color: 'text' }],
    [VERDICT_CODE.immature, { text: 'immature', color: 'super-light-blue' }],
    [VERDICT_CODE.drifted, { text: 'drifted', color: 'orange' }],
    [VERDICT_CODE.stale, { text: 'stale', color: 'purple' }],
    [VERDICT_CODE.failed, { text: 'failed', color: 'red' }],
  ],
  severity: [
    [0, { text: 'none', color: 'green' }],
    [SEVERITY_CODE.info, { text: 'info', color: 'blue' }],
    [SEVERITY_CODE.warning, { text: 'warning', color: 'orange' }],
    [SEVERITY_CODE.critical, { text: 'critical', color: 'red' }],
  ],
  running: [
    [0, { text: 'stopped or failing', color: 'red' }],
    [1, { text: 'running', color: 'green' }],
  ],
  drifted: [
    [0, { text: 'ok', color: 'green' }],
    [1, { text: 'drifted', color: 'orange' }],
  ],
};

/** A value mapping of Grafana. */
export function mappingsOf(words: Words): readonly unknown[] {
  return [
    {
      type: 'value',
      options: Object.fromEntries(WORDS[words].map(([code, told], index) => [String(code), { ...told, index }])),
    },
  ];
}

/** The colour of a value that no mapping tells, such as a mean of two. */
export const UNTOLD = { mode: 'absolute', steps: [{ value: null, color: 'text' }] } as const;
