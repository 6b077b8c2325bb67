/** Colours of the charts. They come from the style sheet, so that the light and the dark page have one source. */
import type { Verdict } from '../../../contracts/result.ts';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly reference: string;
  readonly current: string;
  readonly critical: string;
  readonly warning: string;
  readonly info: string;
  readonly scripted: string;
  readonly states: Readonly<Record<Verdict, string>>;
  /** By effect step, 0..4. */
  readonly quiet: readonly string[];
  readonly drift: readonly string[];
}

/** A state that this page does not know is drawn like one with too little data. */
export function stateColour(palette: Palette, status: string): string {
  return Object.hasOwn(palette.states, status)
    ? palette.states[status as Verdict]
    : palette.states['insufficient-data'];
}

export function severityColour(palette: Palette, severity: string): string {
  if (severity === 'critical') return palette.critical;
  return severity === 'warning' ? palette.warning : palette.info;
}

/** `rgb(1, 2, 3)` with an opacity; other notations stay as they are. */
export function translucent(colour: string, opacity: number): string {
  const match = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour);
  return match === null ? colour : `rgba(${match[1]}, ${match[2]}, ${match[3]}, ${opacity})`;
}
