/** The first view: what is wrong now, and every model with its state. */
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { AlertsAnswer, AlertView, ModelSummary, ModelsAnswer } from '../../../contracts/api.ts';
import { useLive } from '../data/hooks.ts';
import { MODELS, OPEN_ALERTS } from '../data/paths.ts';
import { href } from '../data/routes.ts';
import { AlertCard } from '../parts/alert-card.tsx';
import { DemonstrationBanner } from '../parts/banners.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Name, Said, SeverityChip, Skeleton, Spark, StateChip, WindowName } from '../parts/words.tsx';
import { metricName, metricValue } from '../words/metrics.ts';
import { alertsByUrgency, byUrgency, matches, stateCounts } from '../words/model-list.ts';
import { count, plural, share } from '../words/numbers.ts';
import { stateWords } from '../words/states.ts';

const FIRST_ALERTS = 4;
const FIRST_MODELS = 60;

export function ModelsPage(): VNode {
  const { data, error } = useLive<ModelsAnswer>(MODELS);
  const alerts = useLive<AlertsAnswer>(OPEN_ALERTS).data?.alerts;
  if (data === null)
    return error === null ? (
      <Skeleton height={320} label="Loading the models" />
    ) : (
      <Empty title="Nothing has been received yet">The models appear here as soon as the platform answers.</Empty>
    );
  return (
    <>
      {data.demonstration === undefined ? null : <DemonstrationBanner demonstration={data.demonstration} />}
      {data.models.length === 0 ? <NoModels /> : <Attention answer={data} alerts={alerts} />}
      {data.models.length === 0 ? null : <ModelList models={data.models} />}
    </>
  );
}

function Attention({
  answer,
  alerts,
}: {
  readonly answer: ModelsAnswer;
  readonly alerts: readonly AlertView[] | undefined;
}): VNode {
  const [all, setAll] = useState(false);
  const sorted = useMemo(() => [...(alerts ?? [])].sort(alertsByUrgency), [alerts]);
  const { health, models } = answer;
  const unhealthy =
    health.status === 'ok' ? null : (
      <a class={`card health-note health-${health.status}`} href="#/health">
        <Icon name={health.status === 'failing' ? 'failed' : 'warning'} size={18} />
        <span>
          <strong>The platform itself is {health.status}.</strong> {health.problems[0] ?? 'See its health.'}
          {health.problems.length > 1 ? ` And ${plural(health.problems.length - 1, 'more problem')}.` : ''}
        </span>
      </a>
    );
  const concerned = new Set(sorted.map(({ model }) => model)).size;
  const unseen = models.filter((model) => !model.removed && ['stale', 'failed'].includes(model.state)).length;
  return (
    <section aria-labelledby="attention">
      {sorted.length === 0 ? (
        <div class="headline">
          <h1 id="attention">
            <span class={unhealthy === null && unseen === 0 ? 'calm' : 'uneasy'}>
              <Icon name={unhealthy === null && unseen === 0 ? 'ok' : 'warning'} size={22} />
            </span>{' '}
            {alerts === undefined ? 'Looking …' : 'No alert is open'}
          </h1>
          <p class="muted">
            {plural(models.length, 'model is', 'models are')} watched.
            {unseen > 0 ? ` ${plural(unseen, 'model')} could not be judged lately: silence is not health.` : ''}
          </p>
        </div>
      ) : (
        <div class="headline">
          <h1 id="attention">
            {plural(sorted.length, 'alert is', 'alerts are')} open
            <span class="muted"> on {plural(concerned, 'model')}</span>
          </h1>
        </div>
      )}
      {unhealthy}
      <div class="alerts">
        {sorted.slice(0, all ? 100 : FIRST_ALERTS).map((alert) => (
          <AlertCard key={alert.id} alert={alert} now={answer.now} demonstration={answer.demonstration} />
        ))}
      </div>
      {sorted.length > FIRST_ALERTS && !all ? (
        <p>
          <button type="button" class="quiet" onClick={() => setAll(true)}>
            Show {count(Math.min(100, sorted.length) - FIRST_ALERTS)} more
          </button>{' '}
          <a href="#/alerts">All alerts</a>
        </p>
      ) : null}
    </section>
  );
}

function ModelList({ models }: { readonly models: readonly ModelSummary[] }): VNode {
  const [filter, setFilter] = useState('');
  const [state, setState] = useState('all');
  const [most, setMost] = useState(FIRST_MODELS);
  const sorted = useMemo(() => [...models].sort(byUrgency), [models]);
  const counts = useMemo(() => stateCounts(models), [models]);
  const found = useMemo(() => sorted.filter((model) => matches(model, filter, state)), [sorted, filter, state]);
  const shown = found.slice(0, most);
  return (
    <section aria-labelledby="models">
      <div class="section-head">
        <h2 id="models">Models</h2>
        {models.length > 6 ? (
          <input
            type="search"
            placeholder="Search name or owner"
            aria-label="Search models by name or owner"
            value={filter}
            onInput={(event) => {
              setFilter(event.currentTarget.value);
              setMost(FIRST_MODELS);
            }}
          />
        ) : null}
      </div>
      {models.length > 6 && counts.length > 1 ? (
        <fieldset class="filters" aria-label="Show models in a state">
          <button type="button" class="filter" aria-pressed={state === 'all'} onClick={() => setState('all')}>
            all <b>{count(models.length)}</b>
          </button>
          {counts.map(([key, n]) => (
            <button
              key={key}
              type="button"
              class={`filter state-${key}`}
              aria-pressed={state === key}
              onClick={() => setState(state === key ? 'all' : key)}
            >
              <Icon name={key === 'alert' ? 'warning' : key} size={12} />{' '}
              {key === 'alert' ? 'open alert' : stateWords(key).word} <b>{count(n)}</b>
            </button>
          ))}
        </fieldset>
      ) : null}
      {shown.length === 0 ? (
        <Empty title="No model matches">
          <button
            type="button"
            onClick={() => {
              setFilter('');
              setState('all');
            }}
          >
            Show all
          </button>
        </Empty>
      ) : (
        <div class="card table-card">
          <table class="models">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Model</th>
                <th scope="col">Newest window</th>
                <th scope="col">Rows</th>
                <th scope="col">Performance</th>
                <th scope="col">Alerts</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((model) => (
                <ModelRow key={model.model} model={model} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length > shown.length ? (
        <p>
          <button type="button" class="quiet" onClick={() => setMost(most + 200)}>
            Show {count(Math.min(200, found.length - shown.length))} more of {count(found.length)}
          </button>
        </p>
      ) : null}
    </section>
  );
}

function ModelRow({ model }: { readonly model: ModelSummary }): VNode {
  const { headline, lastWindow } = model;
  return (
    <tr class={model.removed ? 'removed' : ''}>
      <td data-label="State">
        <div>
          <StateChip status={model.state} />
          {model.reason === null ? null : (
            <div class="reason">
              <Said text={model.reason} most={120} />
            </div>
          )}
        </div>
      </td>
      <th scope="row">
        <a href={href({ view: 'model', model: model.model })}>
          <Name text={model.model} most={48} />
        </a>
        <div class="sub">
          <Name text={model.owner} most={32} />
          {model.version === null ? null : (
            <>
              {' '}
              · version <Name text={model.version} most={20} />
            </>
          )}
          {model.removed ? ' · removed' : ''}
        </div>
      </th>
      <td data-label="Newest window">
        <div>
          {lastWindow === null ? (
            <span class="muted">none yet</span>
          ) : (
            <WindowName start={lastWindow.start} end={lastWindow.end} zone={model.timezone} />
          )}
        </div>
      </td>
      <td data-label="Rows" class="numeric">
        <div>
          <span class="with-spark">
            <Spark
              values={model.recentRows}
              label={`rows of the last ${model.recentRows.length} windows, newest ${count(model.recentRows.at(-1))}`}
            />
            {count(lastWindow?.rows)}
          </span>
        </div>
      </td>
      <td data-label="Performance">
        <div>
          {headline === null ? (
            <span class="muted">no labels yet</span>
          ) : (
            <>
              <span class="figure">{metricValue(headline.metric, headline.value)}</span> {metricName(headline.metric)}
              <div class="sub">
                {share(headline.coverage)} of labels{headline.mature ? '' : ', still arriving'}
              </div>
            </>
          )}
        </div>
      </td>
      <td data-label="Alerts">
        <div>
          {model.openEpisodes === 0 ? (
            <span class="muted">none open</span>
          ) : (
            <a class="plain-link" href={href({ view: 'alerts', model: model.model, state: 'open' })}>
              <SeverityChip severity={model.severity ?? 'warning'} /> {count(model.openEpisodes)}
            </a>
          )}
        </div>
      </td>
    </tr>
  );
}

function NoModels(): VNode {
  return (
    <Empty title="No model is watched yet">
      <p>Two steps make the first one from a file of your own:</p>
      <pre>
        <code>{'mlmon init --reference training.parquet --model my-model\nmlmon serve --monitors .'}</code>
      </pre>
      <p>
        Then send events to <code>POST /v1/events</code>. To see what this page shows on a real model, run{' '}
        <code>npm start</code>.
      </p>
    </Empty>
  );
}
