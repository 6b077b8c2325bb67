/** Signs for states and severities: each has a shape of its own, so that none is told by colour alone. */
import type { VNode } from 'preact';

const PATHS: Readonly<Record<string, VNode>> = {
  ok: (
    <path
      d="M3.5 8.5l3 3 6-7"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  ),
  drifted: <path d="M8 1.5L14.5 8 8 14.5 1.5 8z" fill="currentColor" />,
  'insufficient-data': (
    <g fill="currentColor">
      <circle cx="3.5" cy="8" r="1.4" />
      <circle cx="8" cy="8" r="1.4" />
      <circle cx="12.5" cy="8" r="1.4" />
    </g>
  ),
  learning: <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="2" />,
  immature: (
    <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="2.4 2.2" />
  ),
  stale: (
    <path
      d="M4 2h8M4 14h8M4.5 2c0 4 7 8 7 12M11.5 2c0 4-7 8-7 12"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
    />
  ),
  failed: <path d="M3.5 3.5l9 9M12.5 3.5l-9 9" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />,
  critical: (
    <g>
      <path d="M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5z" fill="currentColor" />
      <path d="M8 4.2v4.6M8 11.3v.4" stroke="var(--surface)" stroke-width="1.8" stroke-linecap="round" />
    </g>
  ),
  warning: (
    <g>
      <path d="M8 1.8L15 14H1z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      <path d="M8 6v3.6M8 11.9v.3" stroke="var(--surface)" stroke-width="1.7" stroke-linecap="round" />
    </g>
  ),
  info: (
    <g>
      <circle cx="8" cy="8" r="6.8" fill="currentColor" />
      <path d="M8 7.4v4M8 4.6v.3" stroke="var(--surface)" stroke-width="1.8" stroke-linecap="round" />
    </g>
  ),
  scripted: (
    <path
      d="M2 12.5V3.5h12v9zM2 6.5h12M5 3.5l-1.4 3M9 3.5l-1.4 3M13 3.5l-1.4 3"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linejoin="round"
    />
  ),
};

/** Decoration: the words beside it say the same. */
export function Icon({ name, size = 14 }: { readonly name: string; readonly size?: number }): VNode {
  const shape = Object.hasOwn(PATHS, name) ? PATHS[name] : PATHS['insufficient-data'];
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shape}
    </svg>
  );
}
