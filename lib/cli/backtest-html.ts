/** A replay as one page: the calendar as a heat map and the alerts. No script, no outside address. */

import { MONTH_DAYS } from '../engine/expected-openings.ts';
import type { ReplayedHistory } from '../local/backtest.ts';
import { calendarLines, type Mark } from './backtest-calendar.ts';
import { featureHeat } from './backtest-features.ts';
import {
  alertCause,
  count,
  counted,
  daysText,
  nullText,
  number,
  placeText,
  quietMost,
  type ReplayNames,
} from './backtest-text.ts';
import { html } from './html-text.ts';

/** With more windows cells tell nothing when pointed at: the page would grow with them. */
const MOST_TITLES = 5_000;
const CLASSES: Readonly<Record<Mark, string>> = {
  ' ': 'none',
  '·': 'ok',
  '?': 'open',
  x: 'x',
  '■': 'held',
  '▲': 'opens',
};
const LEGEND: readonly (readonly [Mark, string])[] = [
  ['·', 'quiet'],
  ['x', 'drifted, not confirmed'],
  ['▲', 'opens an alert'],
  ['■', 'an alert is open'],
  ['?', 'no verdict'],
];

const STYLE = `
:root { color-scheme: light dark; --back: #f6f7f9; --text: #1b2230; --dim: #5d6778; --ok: #bfe0c8; --x: #f0c25a; --held: #e08a7f; --opens: #b42318; --open: #cfd5df; }
@media (prefers-color-scheme: dark) { :root { --back: #11151c; --text: #e6eaf1; --dim: #9aa6b8; --ok: #24563a; --x: #a87c1c; --held: #8a3d36; --opens: #ff6b5c; --open: #3a4454; } }
body { margin: 0 auto; max-width: 1120px; padding: 24px 16px 64px; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 28px; } .dim { color: var(--dim); }
.scroll { overflow-x: auto; } .line { display: flex; align-items: center; white-space: nowrap; } .line b { font: 12px ui-monospace, monospace; min-width: 118px; color: var(--dim); }
i { display: inline-block; flex: none; width: 15px; height: 15px; margin: 1px; border-radius: 3px; } .legend i { vertical-align: middle; margin: 0 5px 0 12px; }
s { flex: none; width: 17px; font: 10px ui-monospace, monospace; color: var(--dim); text-decoration: none; } .small i { width: 9px; height: 15px; margin: 1px 0.5px; border-radius: 2px; } .line.small b { width: 170px; overflow: hidden; text-overflow: ellipsis; }
.f1 { background: var(--x); } .f2 { background: var(--held); } .f3 { background: var(--opens); }
.ok { background: var(--ok); } .x { background: var(--x); } .held { background: var(--held); } .opens { background: var(--opens); } .open { background: var(--open); }
`.trim();

export function backtestHtml(history: ReplayedHistory, names: ReplayNames): string {
  const { expected, episodes, days, results, window, timezone, rows } = history;
  const cut = window.kind === 'rows' ? counted(window.rows, 'row') : `${window.every} (${timezone})`;
  const titled = results.length <= MOST_TITLES;
  const cell = (mark: Mark, shows: number): string => {
    const result = titled ? results[shows] : undefined;
    if (result === undefined) return `<i class="${CLASSES[mark]}"></i>`;
    const drifted = result.features.filter(({ status }) => status === 'drifted').map(({ name }) => name);
    const told = `${placeText(history, result.start)}: ${counted(result.rows, 'row')}, ${result.status}${drifted.length > 0 ? `: ${drifted.slice(0, 5).join(', ')}` : ''}`;
    return `<i class="${CLASSES[mark]}" title="${html(told)}"></i>`;
  };
  const calendar = calendarLines(history).map(
    ({ label, marks, shows }) =>
      `<div class="line"><b>${html(label)}</b>${marks.map((mark, i) => cell(mark, shows[i] ?? -1)).join('')}</div>`,
  );
  const alerts = episodes.map(
    (episode) =>
      `<h3>${html(placeText(history, episode.opened))}: ${html(alertCause(episode, history))}</h3><ul>${episode.features.map(({ name, summary }) => `<li><b><bdi>${html(name)}</bdi></b>: ${html(summary)}</li>`).join('')}</ul>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Backtest</title><style>${STYLE}</style></head><body>
<h1>${html(names.data)} replayed</h1>
<p>${counted(rows, 'row')} in ${counted(results.length, 'window')} of ${html(cut)}, judged by ${html(names.reference)}. <span class="dim">${html(nullText(history))}</span></p>
<p><b>Expected</b> when nothing changes: ${number(expected.low)} to ${number(expected.high)} false alarms a month of ${MONTH_DAYS} days; over these ${daysText(days)} 0 to ${quietMost((expected.high * days) / MONTH_DAYS)}. <b>Observed</b>: ${counted(episodes.length, 'alert')}.</p>
<h2>Calendar</h2>
<div class="scroll">
${hours(history)}${calendar.join('\n')}
</div>
<p class="legend dim">${LEGEND.map(([mark, text]) => `<i class="${CLASSES[mark]}"></i>${text}`).join('')}</p>
<h2>Alerts</h2>
${alerts.length === 0 ? '<p>none</p>' : alerts.join('\n')}
<h2>Features</h2>
<div class="scroll">
${features(history)}
</div>
</body></html>
`;
}

/** The hours above the calendar of hourly windows. */
function hours({ window }: ReplayedHistory): string {
  if (window.kind !== 'duration' || window.every !== '1h') return '';
  const labels = Array.from(
    { length: 24 },
    (_, hour) => `<s>${hour % 3 === 0 ? String(hour).padStart(2, '0') : ''}</s>`,
  );
  return `<div class="line"><b></b>${labels.join('')}</div>\n`;
}

function features(history: ReplayedHistory): string {
  const { per, columns, rows, hidden } = featureHeat(history);
  const titled = columns.length * rows.length <= MOST_TITLES;
  const lines = rows.map(({ name, cells }) => {
    const marks = cells.map(({ judged, drifted }, at) => {
      const level = judged === 0 ? 'open' : drifted === 0 ? 'ok' : `f${Math.min(3, Math.ceil((3 * drifted) / judged))}`;
      const told = `${placeText(history, columns[at] ?? '')}: drifted in ${count(drifted)} of ${counted(judged, 'window')}`;
      return titled && drifted > 0 ? `<i class="${level}" title="${html(told)}"></i>` : `<i class="${level}"></i>`;
    });
    return `<div class="line small"><b><bdi>${html(name)}</bdi></b>${marks.join('')}</div>`;
  });
  const [from, to] = [columns[0], columns.at(-1)];
  if (from === undefined || to === undefined) return '';
  const left = hidden > 0 ? ` ${counted(hidden, 'quieter feature')} left out.` : '';
  return `<p class="dim">A column for each ${per} from ${html(placeText(history, from))} to ${html(placeText(history, to))}.${left}</p>
${lines.join('\n')}
<p class="legend dim"><i class="ok"></i>none of its windows drifted<i class="f1"></i>up to a third<i class="f2"></i>up to two thirds<i class="f3"></i>more<i class="open"></i>no verdict</p>`;
}
