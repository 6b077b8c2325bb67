/** Which alerts keep which others quiet: a cause is told, what follows from it is shown and not sent. */
import { type AlertKey, RULES } from './rules.ts';

export interface Inhibition {
  /** Why the second says nothing that the first did not. */
  readonly because: string;
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  /** Labels that must be the same on both. */
  readonly equal: readonly string[];
}

export interface Matcher {
  readonly name: string;
  /** As Alertmanager writes them. */
  readonly is: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

const names = (...keys: readonly AlertKey[]): Matcher => ({
  name: 'alertname',
  is: '=~',
  value: keys.map((key) => RULES.find((rule) => rule.key === key)?.name ?? key).join('|'),
});
const ABOUT_A_MODEL: Matcher = { name: 'model', is: '=~', value: '.+' };
const signal = (is: Matcher['is'], value: string): Matcher => ({ name: 'signal', is, value });

export const INHIBITIONS: readonly Inhibition[] = [
  {
    because: 'while nothing is seen of any model, what is known of each is old',
    source: [names('no-events', 'exporter-silent', 'evaluation-silent')],
    target: [ABOUT_A_MODEL],
    equal: [],
  },
  {
    because: 'of a model that cannot be seen nothing else is known',
    source: [ABOUT_A_MODEL, signal('=', 'blind')],
    target: [ABOUT_A_MODEL, signal('=~', 'drift|quality|performance|latency|volume')],
    equal: ['model'],
  },
  {
    because: 'that a model performs worse is what its features moved for',
    source: [ABOUT_A_MODEL, signal('=', 'performance')],
    target: [ABOUT_A_MODEL, signal('=', 'drift'), { name: 'severity', is: '!=', value: 'critical' }],
    equal: ['model', 'version'],
  },
  {
    because: 'a log that takes nothing fills the queue, fails appends, and holds sidecars up',
    source: [names('collector-queue-old')],
    target: [names('collector-shedding', 'sink-failing', 'sidecar-queue-old', 'sidecar-shedding')],
    equal: [],
  },
  {
    because: 'what was not archived is missing in the capture',
    source: [names('archiver-behind')],
    target: [names('capture-difference')],
    equal: [],
  },
  {
    because: 'a consumer that is minutes behind has been falling behind',
    source: [names('profiler-behind')],
    target: [names('lag-growing')],
    equal: [],
  },
];
