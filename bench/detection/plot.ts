/** The plot of docs/detection.md: false alarms by cell on the left, delays against the better peer's on the right. */
import { ALLOWED, type AlarmSummary, type PowerSummary } from './summary.ts';

const WIDTH = 980;
const HEIGHT = 460;
const INK = '#333';
const OURS = '#0a7d4f';
const EVIDENTLY = '#c2410c';
const NANNYML = '#6d4bc4';
const TOP = 60;
const BOTTOM = HEIGHT - 60;

export function detectionPlot(alarms: readonly AlarmSummary[], power: readonly PowerSummary[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="${INK}">`,
    '<title>Openings in quiet months by cell, and delays of changes, beside the peers</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...alarmPanel(alarms),
    ...powerPanel(power),
    '</svg>',
    '',
  ].join('\n');
}

/** Cells side by side, in order of the table; openings on a logarithmic scale that begins at a hundredth. */
function alarmPanel(alarms: readonly AlarmSummary[]): string[] {
  const [left, right] = [70, 560];
  const [low, high] = [0.01, 400];
  const x = (i: number): number => left + ((i + 0.5) / alarms.length) * (right - left);
  const y = (rate: number): number => position(Math.max(rate, low), [low, high], [BOTTOM, TOP]);
  const series = [
    { name: 'Evidently', colour: EVIDENTLY, of: ({ evidently }: AlarmSummary) => evidently.openings.mean },
    { name: 'NannyML', colour: NANNYML, of: ({ nannyml }: AlarmSummary) => nannyml.openings.mean },
    { name: 'calibrated', colour: OURS, of: ({ episodes }: AlarmSummary) => episodes.mean },
  ];
  return [
    text(left, 24, 'Openings in 30 days when nothing changed', { weight: 'bold', size: 14 }),
    ...[0.01, 0.1, 1, 10, 100].flatMap((tick) => [
      line(left, y(tick), right, y(tick), '#ddd'),
      text(left - 8, y(tick) + 4, tick === low ? '≤ 0.01' : String(tick), { anchor: 'end' }),
    ]),
    line(left, y(ALLOWED), right, y(ALLOWED), OURS, '6 4'),
    text(right, y(ALLOWED) - 5, `allowed: ${ALLOWED}`, { anchor: 'end', colour: OURS }),
    ...series.flatMap(({ colour, of }) =>
      alarms.map(
        (one, i) => `<circle cx="${x(i).toFixed(1)}" cy="${y(of(one)).toFixed(1)}" r="3.5" fill="${colour}"/>`,
      ),
    ),
    ...series.map(({ name, colour }, i) => text(left + i * 100, 44, `● ${name}`, { colour })),
    text((left + right) / 2, HEIGHT - 22, 'cells, in the order of the table', { anchor: 'middle' }),
  ];
}

function powerPanel(power: readonly PowerSummary[]): string[] {
  const [left, right] = [640, WIDTH - 30];
  const range: readonly [number, number] = [0.8, 200];
  const capped = (value: number): number => Math.min(value, range[1]);
  const x = (value: number): number => position(capped(value), range, [left, right]);
  const y = (value: number): number => position(capped(value), range, [BOTTOM, TOP]);
  const ticks = [1, 3, 10, 30, 100];
  const curve = Array.from({ length: 60 }, (_, i) => {
    const value = range[0] * (range[1] / range[0]) ** (i / 59);
    return `${x(value).toFixed(1)},${y(value + 1).toFixed(1)}`;
  });
  return [
    text(left, 24, 'Median delay of a change, in windows', { weight: 'bold', size: 14 }),
    text(left, 44, 'at equal false alarms; below the line: sooner', {}),
    ...ticks.flatMap((tick) => [
      line(left, y(tick), right, y(tick), '#ddd'),
      line(x(tick), TOP, x(tick), BOTTOM, '#ddd'),
      text(left - 8, y(tick) + 4, String(tick), { anchor: 'end' }),
      text(x(tick), BOTTOM + 16, String(tick), { anchor: 'middle' }),
    ]),
    line(x(range[0]), y(range[0]), x(range[1]), y(range[1]), INK),
    `<polyline points="${curve.join(' ')}" fill="none" stroke="${INK}" stroke-dasharray="4 4"/>`,
    ...power.map(
      ({ ours, peers: { better, within } }) =>
        `<circle cx="${x(better).toFixed(1)}" cy="${y(ours.median).toFixed(1)}" r="4" fill="${within ? OURS : EVIDENTLY}" fill-opacity="0.55"/>`,
    ),
    text((left + right) / 2, HEIGHT - 22, 'better peer (200: never); dashed: one window later', { anchor: 'middle' }),
    text(left - 34, TOP - 4, 'calibrated', {}),
  ];
}

function position(
  value: number,
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): number {
  return from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, dash?: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${colour}"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`;
}

interface TextStyle {
  readonly anchor?: string;
  readonly colour?: string;
  readonly weight?: string;
  readonly size?: number;
}

function text(x: number, y: number, content: string, { anchor, colour, weight, size }: TextStyle): string {
  const styles = [
    anchor === undefined ? '' : ` text-anchor="${anchor}"`,
    colour === undefined ? '' : ` fill="${colour}"`,
    weight === undefined ? '' : ` font-weight="${weight}"`,
    size === undefined ? '' : ` font-size="${size}"`,
  ];
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${styles.join('')}>${content}</text>`;
}
