/** Alerts: open and closed, with everything known about them, and what is silenced. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AlertsAnswer, ModelsAnswer } from '../../../contracts/api.ts';
import { useLive } from '../data/hooks.ts';
import { alertsPath, MODELS } from '../data/paths.ts';
import { type AlertsRoute, href } from '../data/routes.ts';
import { AlertCard } from '../parts/alert-card.tsx';
import { Empty, Name, Skeleton, When } from '../parts/words.tsx';
import { count, plural } from '../words/numbers.ts';
import { signalNoun } from '../words/states.ts';
import { instant } from '../words/times.ts';

const FIRST = 30;

export function AlertsPage({ route }: { readonly route: AlertsRoute }): VNode {
  const { data, error } = useLive<AlertsAnswer>(alertsPath(route.model));
  const demonstration = useLive<ModelsAnswer>(MODELS).data?.demonstration;
  const [most, setMost] = useState(FIRST);
  const state = route.state ?? 'all';
  const found = data?.alerts.filter((alert) => state === 'all' || alert.state === state) ?? [];
  // The one that a link leads to comes first, whatever its age.
  const sorted = [...found].sort(
    (a, b) =>
      Number(b.id === route.id) - Number(a.id === route.id) || Number(b.state === 'open') - Number(a.state === 'open'),
  );
  const loaded = data !== null;
  useEffect(() => {
    if (route.id !== undefined && loaded)
      document.getElementById(`alert-${route.id}`)?.scrollIntoView({ block: 'start' });
  }, [route.id, loaded]);
  if (data === null)
    return error === null ? (
      <Skeleton height={320} label="Loading the alerts" />
    ) : (
      <Empty title="The alerts cannot be shown">{error.message}</Empty>
    );
  const open = data.alerts.filter((alert) => alert.state === 'open').length;
  const now = instant(data.now) ?? 0;
  const silences = data.silences.filter(({ until }) => (instant(until) ?? 0) > now);
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
        {route.model === undefined ? null : (
          <p class="sub">
            of <Name text={route.model} /> · <a href={href({ view: 'alerts', state: route.state })}>of all models</a>
          </p>
        )}
      </div>
      <fieldset class="filters" aria-label="Show alerts">
        {(['all', 'open', 'closed'] as const).map((key) => (
          <a
            key={key}
            class="filter"
            aria-current={state === key ? 'true' : undefined}
            href={href({ view: 'alerts', model: route.model, state: key })}
          >
            {key} <b>{count(key === 'all' ? data.alerts.length : key === 'open' ? open : data.alerts.length - open)}</b>
          </a>
        ))}
      </fieldset>
      {silences.length === 0 ? null : (
        <section class="card" aria-labelledby="silences">
          <h2 id="silences">{plural(silences.length, 'silence is', 'silences are')} in force</h2>
          <ul class="plain">
            {silences.map((silence) => (
              <li key={silence.id}>
                <Name text={silence.model} />:{' '}
                {silence.signal === null ? 'everything' : signalNoun(silence.signal).toLowerCase()} until{' '}
                <When at={silence.until} />, by <Name text={silence.by} />
                {silence.reason === '' ? '' : `: ${silence.reason}`}
              </li>
            ))}
          </ul>
        </section>
      )}
      {sorted.length === 0 ? (
        <Empty title={state === 'open' ? 'No alert is open' : 'There are no alerts'}>
          An alert opens when a change is beyond chance and large enough to matter, and closes by itself when it has
          recovered.
        </Empty>
      ) : (
        <div class="alerts alerts-full">
          {sorted.slice(0, most).map((alert) => (
            <AlertCard
              key={alert.id}
              alert={alert}
              now={data.now}
              demonstration={demonstration}
              full
              chosen={alert.id === route.id}
            />
          ))}
        </div>
      )}
      {sorted.length > most ? (
        <button type="button" class="quiet" onClick={() => setMost(most + 100)}>
          Show more of {count(sorted.length)}
        </button>
      ) : null}
    </>
  );
}
