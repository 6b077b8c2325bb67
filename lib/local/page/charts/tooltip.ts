/** Markup of the charts' tooltips. Everything that goes in is escaped here; nothing else makes markup. */
import { escapeHtml } from '../words/safe.ts';

export interface TooltipRow {
  readonly label: string;
  readonly value: string;
}

export function tooltipMarkup(title: string, note: string, rows: readonly TooltipRow[], words?: string): string {
  const lines = rows.map(
    ({ label, value }) =>
      `<div class="tip-row"><span>${escapeHtml(label)}</span><strong>${escapeHtml(value)}</strong></div>`,
  );
  const text = words === undefined || words === '' ? '' : `<div class="tip-words">${escapeHtml(words)}</div>`;
  return `<div class="tip-title">${escapeHtml(title)}</div><div class="tip-note">${escapeHtml(note)}</div>${lines.join('')}${text}`;
}
