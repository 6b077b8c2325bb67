/** The frame around every view. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlertsAnswer } from '../../../contracts/api.ts';
import { useConnection, useLive, useSeconds } from '../data/hooks.ts';
import { OPEN_ALERTS } from '../data/paths.ts';
import type { Route } from '../data/routes.ts';
import { count } from '../words/numbers.ts';
import { instant, moment, span } from '../words/times.ts';
import { ConnectionBanner } from './banners.tsx';
import { Dialogs } from './dialogs.tsx';
import { setTheme, type Theme, themeNow } from './theme.ts';
import { TokenForm } from './token-form.tsx';

export function Shell({ route, children }: { readonly route: Route; readonly children: ComponentChildren }): VNode {
  const alerts = useLive<AlertsAnswer>(OPEN_ALERTS);
  const connection = useConnection();
  const open = alerts.data?.alerts.length ?? 0;
  const main = useRef<HTMLElement>(null);
  const place = placeOf(route);
  const before = useRef(place);
  useEffect(() => {
    // A new view begins at its top, for eyes and for screen readers; a new window of the same view does not.
    if (before.current !== place) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    before.current = place;
    document.title = `${open > 0 ? `(${open}) ` : ''}${titleOf(route)} · Model monitoring`;
  }, [place, open]);
  const tab = (view: Route['view'], to: string, words: string, badge?: VNode | null): VNode => (
    <a href={to} aria-current={isUnder(route, view) ? 'page' : undefined}>
      {words}
      {badge}
    </a>
  );
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="#274690" />
            <path
              d="M5 19h5l3-9 5 14 4-11 2 6h3"
              fill="none"
              stroke="#fff"
              stroke-width="2.6"
              stroke-linecap="round"
              stroke-linejoin="round"
            />
          </svg>
          <span>Model monitoring</span>
        </a>
        <nav aria-label="Views">
          {tab('models', '#/', 'Models')}
          {tab(
            'alerts',
            '#/alerts',
            'Alerts',
            open === 0 ? null : (
              <span class="badge">
                {count(open)}
                <span class="sr-only"> open</span>
              </span>
            ),
          )}
          {tab('health', '#/health', 'Health')}
        </nav>
        <div class="top-right">
          <LiveSign now={alerts.data?.now} />
          <ThemeButton />
        </div>
      </header>
      <ConnectionBanner />
      <main id="main" ref={main} tabIndex={-1}>
        {connection.state === 'locked' ? <TokenForm refused={connection.refused} /> : null}
        {connection.state === 'locked' && connection.lastAt === null ? null : children}
      </main>
      <Dialogs />
    </>
  );
}

function LiveSign({ now }: { readonly now: string | undefined }): VNode {
  const { state, lastAt } = useConnection();
  const seconds = useSeconds(state !== 'live');
  const at = instant(now);
  const words = { connecting: 'connecting', live: 'live', lost: 'not connected', failing: 'failing', locked: 'locked' }[
    state
  ];
  const platform = at === null ? '' : moment(at, 'UTC');
  return (
    <span
      class={`live live-${state}`}
      title={`${platform === '' ? '' : `The platform's clock: ${platform} UTC. `}${
        lastAt === null
          ? 'Nothing received yet'
          : state === 'live'
            ? 'Up to date'
            : `Last update ${span(seconds - lastAt)} ago`
      }`}
    >
      <i aria-hidden="true" />
      <span class="live-words">{words}</span>
      {at === null ? null : <span class="live-clock">{platform} UTC</span>}
    </span>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };

function ThemeButton(): VNode {
  const [theme, set] = useState(themeNow);
  const words = { auto: 'as the computer', light: 'light', dark: 'dark' }[theme];
  return (
    <button
      type="button"
      class="quiet theme"
      title={`Colours: ${words}. Press to change.`}
      aria-label={`Colours: ${words}. Press to change.`}
      onClick={() => {
        setTheme(NEXT[theme]);
        set(NEXT[theme]);
      }}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        {theme === 'dark' ? (
          <path d="M13 9.8A5.8 5.8 0 0 1 6.2 3 5.8 5.8 0 1 0 13 9.8z" fill="currentColor" />
        ) : theme === 'light' ? (
          <g stroke="currentColor" stroke-width="1.5" stroke-linecap="round">
            <circle cx="8" cy="8" r="3" fill="currentColor" />
            <path d="M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13" />
          </g>
        ) : (
          <g>
            <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
            <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
          </g>
        )}
      </svg>
    </button>
  );
}

function isUnder(route: Route, view: Route['view']): boolean {
  return route.view === view || (view === 'models' && (route.view === 'model' || route.view === 'feature'));
}

function placeOf(route: Route): string {
  if (route.view === 'model') return `model ${route.model}`;
  if (route.view === 'feature') return `feature ${route.model} ${route.feature}`;
  return route.view;
}

function titleOf(route: Route): string {
  if (route.view === 'model') return route.model;
  if (route.view === 'feature') return `${route.feature} of ${route.model}`;
  return { models: 'Models', alerts: 'Alerts', health: 'Health', unknown: 'Not found' }[route.view];
}
