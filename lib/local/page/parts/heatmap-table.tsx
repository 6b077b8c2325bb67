/** The heatmap as a table: newest windows first, every cell a link. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { WindowView } from '../../../contracts/api.ts';
import { cellWords, type HeatmapRow, type Spanned } from '../charts/heatmap-model.ts';
import { href } from '../data/routes.ts';
import { effectText } from '../words/numbers.ts';
import { stateWords } from '../words/states.ts';
import { shortDay, utc, windowWords } from '../words/times.ts';
import { Icon } from './icon.tsx';
import { cssName, Name } from './words.tsx';

const PAGE = 8;

export function HeatmapTable({
  model,
  windows,
  rows,
  zone,
}: {
  readonly model: string;
  readonly windows: readonly Spanned<WindowView>[];
  readonly rows: readonly HeatmapRow[];
  readonly zone: string;
}): VNode {
  const [back, setBack] = useState(0);
  const end = Math.max(0, windows.length - back);
  const shown = Array.from({ length: Math.min(PAGE, end) }, (_, i) => end - 1 - i);
  return (
    <div>
      <div class="toolbar">
        <button type="button" class="quiet" disabled={end <= PAGE} onClick={() => setBack(back + PAGE)}>
          ← Before these
        </button>
        <button type="button" class="quiet" disabled={back === 0} onClick={() => setBack(Math.max(0, back - PAGE))}>
          After these →
        </button>
      </div>
      <section class="scroll-x" aria-label="States by feature and window">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Feature</th>
              {shown.map((i) => {
                const window = windows[i]!;
                return (
                  <th
                    scope="col"
                    key={window.from}
                    title={`${windowWords(window.from, window.to, zone)}, from ${utc(window.from)}`}
                  >
                    {shortDay(window.from, zone)}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  <Name text={row.name} most={28} />
                </th>
                {shown.map((i) => {
                  const window = windows[i]!;
                  const cell = row.cells[i];
                  return (
                    <td key={window.from}>
                      {cell === undefined ? (
                        <span class="muted">–</span>
                      ) : (
                        <a
                          class={`cell state-${cssName(cell.status)}`}
                          title={cellWords(cell)}
                          aria-label={`${stateWords(cell.status).word}, effect ${effectText(cell.effect)}, ${windowWords(window.from, window.to, zone)}`}
                          href={href({
                            view: 'feature',
                            model,
                            feature: row.name,
                            version: window.item.version,
                            length: window.item.length,
                            start: window.from,
                          })}
                        >
                          <Icon name={cell.status} size={12} /> {effectText(cell.effect)}
                        </a>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
