/** Small drawings of a report's columns: the reference as an area or a pale bar, the current side over it. Colours are the page's. */
import { numberText, shareText } from '../engine/verdict-words.ts';
import { html } from './html-text.ts';
import type { Share, Shares } from './report-shares.ts';

const WIDTH = 360;
const HEIGHT = 118;
const PLOT = 98;
/** Width of what lies outside of the axis, and the space before it. */
const OUTSIDE = 14;
const GAP = 5;
const ROW = 21;
const LABEL = 128;
const LABEL_LENGTH = 20;
const SHARE = 96;

export function chartOf(shares: Shares, called: string): string {
  return shares.kind === 'ranges' ? rangesChart(shares, called) : valuesChart(shares.cells, called);
}

function svg(height: number, called: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${html(`${called}: shares of reference and current`)}">${content}</svg>`;
}

function rangesChart(shares: Extract<Shares, { kind: 'ranges' }>, called: string): string {
  const { cells, below, above, low, high } = shares;
  const left = below === null ? 0 : OUTSIDE + GAP;
  const right = WIDTH - (above === null ? 0 : OUTSIDE + GAP);
  const step = (right - left) / cells.length;
  const every = [...cells, ...(below === null ? [] : [below]), ...(above === null ? [] : [above])];
  const most = Math.max(...every.map(({ reference, current }) => Math.max(reference, current)));
  const y = (share: number): string => (PLOT - (share / most) * (PLOT - 4)).toFixed(1);
  const steps = (side: 'reference' | 'current'): string =>
    cells.map((cell, i) => `V${y(cell[side])}H${(left + (i + 1) * step).toFixed(1)}`).join('');
  const area = (side: 'reference' | 'current', x: number, share: Share): string =>
    `<path class="${side}" d="M${x} ${PLOT}V${y(share[side])}h${OUTSIDE}V${PLOT}"/>`;
  const outside = (x: number, share: Share | null): string =>
    share === null
      ? ''
      : `<g>${title(share)}<rect class="hit" x="${x}" width="${OUTSIDE}" height="${PLOT}"/>${area('reference', x, share)}${area('current', x, share)}</g>`;
  const hits = cells
    .map(
      (cell, i) =>
        `<rect class="hit" x="${(left + i * step).toFixed(1)}" width="${step.toFixed(1)}" height="${PLOT}">${title(cell)}</rect>`,
    )
    .join('');
  const label = (x: number, anchor: string, text: string): string =>
    `<text x="${x}" y="${HEIGHT - 5}" text-anchor="${anchor}">${html(text)}</text>`;
  return svg(
    HEIGHT,
    called,
    [
      `<path class="reference" d="M${left} ${PLOT}${steps('reference')}V${PLOT}Z"/>`,
      `<path class="current" d="M${left} ${PLOT}${steps('current')}V${PLOT}"/>`,
      outside(0, below),
      outside(WIDTH - OUTSIDE, above),
      `<path class="axis" d="M${left} ${PLOT}H${right.toFixed(1)}"/>`,
      hits,
      label(left, 'start', numberText(low)),
      label((left + right) / 2, 'middle', numberText((low + high) / 2)),
      label(right, 'end', numberText(high)),
    ].join(''),
  );
}

function valuesChart(cells: readonly Share[], called: string): string {
  const most = Math.max(...cells.map(({ reference, current }) => Math.max(reference, current)));
  const wide = (share: number): string => ((share / most) * (WIDTH - LABEL - SHARE)).toFixed(1);
  const rows = cells.map((cell, i) => {
    const y = i * ROW;
    const shown =
      cell.label.length > LABEL_LENGTH ? `${[...cell.label].slice(0, LABEL_LENGTH - 1).join('')}…` : cell.label;
    return [
      `<g>${title(cell)}<rect class="hit" y="${y}" width="${WIDTH}" height="${ROW}"/>`,
      `<text x="${LABEL - 6}" y="${y + 14}" text-anchor="end" class="label">${html(shown)}</text>`,
      `<rect class="reference" x="${LABEL}" y="${y + 3}" width="${wide(cell.reference)}" height="6"/>`,
      `<rect class="bar" x="${LABEL}" y="${y + 10}" width="${wide(cell.current)}" height="6"/>`,
      `<text x="${WIDTH}" y="${y + 14}" text-anchor="end">${html(`${shareText(cell.reference)} → ${shareText(cell.current)}`)}</text></g>`,
    ].join('');
  });
  return svg(cells.length * ROW + 2, called, rows.join(''));
}

function title({ label, reference, current }: Share): string {
  return `<title>${html(`${label}: ${shareText(reference)} → ${shareText(current)}`)}</title>`;
}
