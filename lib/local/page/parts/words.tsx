/** Small pieces of text that appear everywhere: names, states, times. */
import type { VNode } from 'preact';
import { shortened } from '../words/numbers.ts';
import { visible, visibleLines } from '../words/safe.ts';
import { stateWords } from '../words/states.ts';
import { instant, moment, utc, windowWords } from '../words/times.ts';
import { Icon } from './icon.tsx';

/** A name from data: isolated in its direction, cut when very long, whole on hover. */
export function Name({ text, most = 60 }: { readonly text: string; readonly most?: number }): VNode {
  const whole = visible(text);
  const short = shortened(whole, most);
  return (
    <bdi class="name" title={short === whole ? undefined : whole}>
      {short}
    </bdi>
  );
}

/** A sentence of the platform or of a person: it may quote any name. Cut when very long, whole on hover. */
export function Said({ text, most = 600 }: { readonly text: string; readonly most?: number }): VNode {
  const whole = visibleLines(text);
  const short = shortened(whole, most);
  return (
    <bdi class="said" title={short === whole ? undefined : whole}>
      {short}
    </bdi>
  );
}

export function StateChip({ status, label }: { readonly status: string; readonly label?: string }): VNode {
  const { word, meaning } = stateWords(status);
  return (
    <span class={`chip state-${cssName(status)}`} title={meaning}>
      <Icon name={status} size={12} />
      {label ?? word}
    </span>
  );
}

export function SeverityChip({ severity }: { readonly severity: string }): VNode {
  return (
    <span class={`chip severity-${cssName(severity)}`}>
      <Icon name={severity} size={12} />
      {severity}
    </span>
  );
}

/** A state of a newer platform must not become two class names. */
export function cssName(word: string): string {
  return word.replace(/[^a-z-]/gi, '');
}

/** A time in the model's zone, in UTC on hover. */
export function When({ at, zone = 'UTC' }: { readonly at: string | null | undefined; readonly zone?: string }): VNode {
  const value = instant(at);
  if (value === null) return <span class="muted">–</span>;
  return (
    <time
      dateTime={new Date(value).toISOString()}
      title={`${utc(value)}${zone === 'UTC' ? '' : ` (shown in ${zone})`}`}
    >
      {moment(value, zone)}
    </time>
  );
}

export function WindowName({
  start,
  end,
  zone = 'UTC',
}: {
  readonly start: string;
  readonly end: string;
  readonly zone?: string;
}): VNode {
  const from = instant(start);
  const to = instant(end);
  if (from === null || to === null) return <span class="muted">–</span>;
  return (
    <time
      dateTime={new Date(from).toISOString()}
      title={`${utc(from)} to ${utc(to)}${zone === 'UTC' ? '' : ` (shown in ${zone})`}`}
    >
      {windowWords(from, to, zone)}
    </time>
  );
}

/** Rows of windows as a line; the numbers are in the title. */
export function Spark({ values, label }: { readonly values: readonly number[]; readonly label: string }): VNode | null {
  if (values.length < 2) return null;
  const width = 96;
  const height = 24;
  const most = Math.max(...values, 1);
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * (width - 4) + 2;
    const y = height - 3 - (Math.max(0, value) / most) * (height - 6);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const [endX, endY] = (points.at(-1) ?? '0,0').split(',');
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linejoin="round"
      />
      <circle cx={endX} cy={endY} r="2" fill="currentColor" />
    </svg>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: VNode | string | (VNode | string)[];
}): VNode {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="empty-words">{children}</div>}
    </div>
  );
}

export function Skeleton({ height, label = 'Loading' }: { readonly height: number; readonly label?: string }): VNode {
  return <div class="skeleton" style={{ height: `${height}px` }} role="status" aria-label={label} />;
}
