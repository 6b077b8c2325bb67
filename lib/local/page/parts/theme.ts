/** Light, dark, or as the computer says; and the colours of the style sheet for what is drawn on canvas. */
import { useEffect, useState } from 'preact/hooks';
import type { Palette } from '../charts/palette.ts';

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'mlmon.theme';
const listeners = new Set<() => void>();
let palette: Palette | null = null;

export function themeNow(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch {
    return 'auto';
  }
}

export function setTheme(theme: Theme): void {
  try {
    if (theme === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
  applyTheme(theme);
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  changed();
}

function changed(): void {
  palette = null;
  for (const listener of listeners) listener();
}

export function followTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  applyTheme(themeNow());
}

export function usePalette(): Palette {
  const [, draw] = useState({});
  useEffect(() => {
    const listener = (): void => draw({});
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  palette ??= read();
  return palette;
}

/** A probe, because a custom property holds `light-dark(…)` as text until something is coloured with it. */
function read(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const result: Palette = {
    text: colour('text'),
    muted: colour('muted'),
    line: colour('line'),
    surface: colour('surface'),
    accent: colour('accent'),
    accentSoft: colour('accent-soft'),
    reference: colour('reference'),
    current: colour('current'),
    critical: colour('critical'),
    warning: colour('warning'),
    info: colour('info'),
    scripted: colour('scripted'),
    states: {
      ok: colour('state-ok'),
      drifted: colour('state-drifted'),
      'insufficient-data': colour('state-insufficient-data'),
      learning: colour('state-learning'),
      immature: colour('state-immature'),
      stale: colour('state-stale'),
      failed: colour('state-failed'),
    },
    quiet: [0, 1, 2, 3, 4].map((step) => colour(`quiet-${step}`)),
    drift: [0, 1, 2, 3, 4].map((step) => colour(`drift-${step}`)),
  };
  probe.remove();
  return result;
}
