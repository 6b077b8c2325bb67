/** One feature at one window: what changed, in bars and in words, and how it went over time. */
import type { VNode } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { FeatureAnswer, ModelAnswer } from '../../../contracts/api.ts';
import type { FeatureResult } from '../../../contracts/result.ts';
import { distributionOption, type HistoryKind, historyOption, historySpans } from '../charts/feature-charts.ts';
import type { Palette } from '../charts/palette.ts';
import type { Band, Timeline } from '../charts/timeline.ts';
import { useLive } from '../data/hooks.ts';
import { featurePath, modelPath } from '../data/paths.ts';
import { type FeatureRoute, href } from '../data/routes.ts';
import { Magnitude } from '../parts/alert-card.tsx';
import { Chart } from '../parts/chart.tsx';
import { Empty, Name, Said, Skeleton, StateChip, WindowName } from '../parts/words.tsx';
import { bandsOf } from '../words/bands.ts';
import { count, effectText, missingShare, number, points, pValue, share, UNKNOWN } from '../words/numbers.ts';
import { visible } from '../words/safe.ts';
import { effectWord } from '../words/states.ts';

const DAY = 86_400_000;

export function FeaturePage({ route }: { readonly route: FeatureRoute }): VNode {
  const model = useLive<ModelAnswer>(modelPath(route.model)).data;
  const length = route.length ?? model?.lengths[0];
  const version = route.version ?? model?.summary.version ?? undefined;
  const { data, error, pending } = useLive<FeatureAnswer>(
    featurePath(route.model, route.feature, { version, length, start: route.start }),
    `${route.model} ${route.feature}`,
  );
  const zone = model?.monitor.window.timezone ?? 'UTC';
  const history = useMemo(
    () =>
      historySpans(
        data?.history ?? [],
        data?.window == null ? DAY : Date.parse(data.window.end) - Date.parse(data.window.start),
      ),
    [data?.history, data?.window],
  );
  const bands = useMemo(
    () => bandsOf(model?.episodes ?? [], model?.demonstration?.incidents ?? [], model?.now, version),
    [model?.episodes, model?.demonstration?.incidents, model?.now, version],
  );
  const first = history[0]?.from ?? 0;
  const last = history.at(-1)?.to ?? 1;
  const window = data?.window ?? null;
  const timeline: Timeline = useMemo(() => {
    const chosen: Band[] =
      window === null
        ? []
        : [{ from: Date.parse(window.start), to: Date.parse(window.end), kind: 'chosen', label: 'this window' }];
    return { from: first, to: last, zone, bands: [...bands, ...chosen] };
  }, [first, last, zone, bands, window]);
  const start = window === null ? null : Date.parse(window.start);
  const at = history.findIndex(({ from }) => from === start);
  const go = (to: number | undefined): string => href({ ...route, version, length, start: to });
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href="#/">Models</a> <span aria-hidden="true">/</span>{' '}
        <a href={href({ view: 'model', model: route.model, version: route.version, length: route.length })}>
          <Name text={route.model} most={40} />
        </a>{' '}
        <span aria-hidden="true">/</span>
      </nav>
      <div class="page-head">
        <h1>
          <Name text={route.feature} most={64} />
        </h1>
        {data?.result == null ? null : <StateChip status={data.result.status} />}
        {window === null ? null : (
          <p class="sub">
            {data?.result == null
              ? ''
              : `${data.result.type}${data.result.role === 'feature' ? '' : `, ${data.result.role} of the model`} · `}
            <WindowName start={window.start} end={window.end} zone={zone} /> · {count(window.rows)} rows · times in{' '}
            {zone}
          </p>
        )}
      </div>
      {data === null ? (
        error === null ? (
          <Skeleton height={420} label="Loading the feature" />
        ) : (
          <Empty title="This feature cannot be shown">{error.message}</Empty>
        )
      ) : (
        <div class={pending ? 'stacked pending' : 'stacked'}>
          <div class="toolbar">
            <Step words="← Window before" to={at > 0 ? go(history[at - 1]?.from) : null} />
            <Step words="Window after →" to={at >= 0 && at < history.length - 1 ? go(history[at + 1]?.from) : null} />
            {at >= 0 && at < history.length - 1 ? <Step words="Newest" to={go(undefined)} /> : null}
          </div>
          <Verdict result={data.result} explanation={data.explanation} />
          <Distribution data={data} zone={zone} />
          {history.length === 0 ? null : (
            <section class="card" aria-labelledby="history">
              <div class="section-head">
                <h2 id="history">Over time</h2>
                <p class="sub">Click a window to look at it.</p>
              </div>
              {(['effect', 'missing', 'mean'] as const)
                .filter((kind) => history.some(({ item }) => item[kind] !== null))
                .map((kind) => (
                  <History
                    key={kind}
                    kind={kind}
                    history={history}
                    timeline={timeline}
                    result={data.result}
                    onPick={(time) => {
                      const found = history.find(({ from, to }) => from <= time && time < to);
                      if (found !== undefined) location.hash = go(found.from);
                    }}
                  />
                ))}
            </section>
          )}
        </div>
      )}
    </>
  );
}

function Step({ words, to }: { readonly words: string; readonly to: string | null }): VNode {
  return to === null ? (
    <span class="button quiet disabled" aria-disabled="true">
      {words}
    </span>
  ) : (
    <a class="button quiet" href={to}>
      {words}
    </a>
  );
}

function Verdict({
  result,
  explanation,
}: {
  readonly result: FeatureResult | null;
  readonly explanation: readonly string[];
}): VNode {
  if (result === null) return <Empty title="This window says nothing about this feature" />;
  const sentences = explanation.filter((sentence) => sentence !== result.summary);
  return (
    <section class="card" aria-labelledby="verdict">
      <div class="section-head">
        <h2 id="verdict">What it means</h2>
      </div>
      <p class="lead">
        <Said text={result.summary} />
      </p>
      {result.reason === undefined ? null : (
        <p class="reason-line">
          <Said text={result.reason} />
        </p>
      )}
      <div class="tiles">
        <div class="tile">
          <div class="tile-name">How large</div>
          <div class="figure">{effectWord(result.effect)}</div>
          <Magnitude effect={result.effect} />
        </div>
        <div class="tile">
          <div class="tile-name">What moved</div>
          <div class="figure">
            <Name text={result.aspect ?? UNKNOWN} most={40} />
          </div>
          <span class="muted">
            missing {share(missingShare(result.referenceCount, result.missingReference))} →{' '}
            {share(missingShare(result.currentCount, result.missingCurrent))}
          </span>
        </div>
        <div class="tile">
          <div class="tile-name">Could it be chance?</div>
          <div class="figure">
            p {pValue(result.pValue).startsWith('<') ? '' : '= '}
            {pValue(result.pValue)}
          </div>
          <span class="muted">
            {result.threshold === null ? 'no limit' : `alerts under ${pValue(result.threshold)}`}
            {result.provisional ? ', provisional' : ''}
          </span>
        </div>
        <div class="tile">
          <div class="tile-name">Smallest change it could show</div>
          <div class="figure">
            {result.detectable === null ? UNKNOWN : effectWord(Math.max(0.05, result.detectable))}
          </div>
          <span class="muted">
            {result.detectable === null
              ? 'not known'
              : `effect ${effectText(result.detectable)}, four times out of five`}
          </span>
        </div>
      </div>
      {sentences.length === 0 ? null : (
        <ul class="explanation">
          {sentences.map((sentence) => (
            <li key={sentence}>
              <Said text={sentence} />
            </li>
          ))}
        </ul>
      )}
      <details class="details">
        <summary>The tests in numbers</summary>
        <div class="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">Test</th>
                <th scope="col">Statistic</th>
                <th scope="col">p-value</th>
                <th scope="col">Limit</th>
                <th scope="col">Remark</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{result.test}</th>
                <td class="numeric">{number(result.statistic, 4)}</td>
                <td class="numeric">{pValue(result.pValue)}</td>
                <td class="numeric">{pValue(result.threshold)}</td>
                <td>decides</td>
              </tr>
              {result.others.map((other) => (
                <tr key={other.test}>
                  <th scope="row">{other.test}</th>
                  <td class="numeric">{number(other.statistic, 4)}</td>
                  <td class="numeric">{pValue(other.pValue)}</td>
                  <td class="numeric">{number(other.threshold)}</td>
                  <td>{other.reason ?? 'shown only'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p class="sub">
          Baseline {count(result.referenceCount)} values, window {count(result.currentCount)} values
          {result.mean === null ? '' : `; mean ${number(result.mean, 4)}, standard deviation ${number(result.std, 3)}`}.
        </p>
      </details>
    </section>
  );
}

function Distribution({ data, zone }: { readonly data: FeatureAnswer; readonly zone: string }): VNode | null {
  const { distribution, result, window } = data;
  const names = result?.type === 'categorical';
  const bins = distribution?.bins;
  const build = useCallback((palette: Palette) => distributionOption(bins ?? [], names, palette), [bins, names]);
  if (bins === undefined || bins.length === 0 || window === null) return null;
  const changes = result?.changes ?? [];
  return (
    <section class="card" aria-labelledby="distribution">
      <div class="section-head">
        <h2 id="distribution">Baseline against this window</h2>
        <p class="chart-notes">
          <span>
            <i class="box-key reference" /> baseline
          </span>
          <span>
            <i class="box-key current" /> <WindowName start={window.start} end={window.end} zone={zone} />
          </span>
        </p>
      </div>
      <Chart
        label={`Share of rows by ${names ? 'category' : 'range'}: baseline against this window. The table below holds the numbers.`}
        height={names ? Math.min(900, 48 + bins.length * 26) : 260}
        build={build}
      />
      {changes.length === 0 ? null : (
        <>
          <h3>What changed most</h3>
          <ul class="changes">
            {changes.map((change) => (
              <li key={change.what}>
                <Name text={change.what} most={40} />: {share(change.reference)} →{' '}
                <strong>{share(change.current)}</strong>{' '}
                <span class="muted">({points(change.current - change.reference)})</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <details class="details">
        <summary>As a table</summary>
        <div class="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">{names ? 'Category' : 'Range'}</th>
                <th scope="col">Baseline</th>
                <th scope="col">This window</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              {bins.map((bin) => (
                <tr key={bin.label}>
                  <th scope="row">
                    <Name text={bin.label} most={40} />
                  </th>
                  <td class="numeric">{share(bin.reference)}</td>
                  <td class="numeric">{share(bin.current)}</td>
                  <td class="numeric">{points(bin.current - bin.reference)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

const HISTORY_NAMES: Readonly<Record<HistoryKind, string>> = { effect: 'Effect', missing: 'Missing', mean: 'Mean' };
const HISTORY_NOTES: Readonly<Record<HistoryKind, string>> = {
  effect: 'dotted: tiny, small, medium, large; cut at 1',
  missing: 'share of rows without a value',
  mean: 'shaded: one standard deviation',
};

function History(props: {
  readonly kind: HistoryKind;
  readonly history: ReturnType<typeof historySpans>;
  readonly timeline: Timeline;
  readonly result: FeatureResult | null;
  readonly onPick: (at: number) => void;
}): VNode {
  const { kind, history, timeline, result, onPick } = props;
  const build = useCallback(
    (palette: Palette, width: number) => historyOption(kind, history, timeline, palette, width),
    [kind, history, timeline],
  );
  const value =
    kind === 'effect'
      ? effectText(result?.effect)
      : kind === 'missing'
        ? share(result === null ? null : missingShare(result.currentCount, result.missingCurrent))
        : number(result?.mean, 4);
  return (
    <div class="panel">
      <div class="panel-name">
        <h3>{HISTORY_NAMES[kind]}</h3>
        <div class="figure">{value}</div>
        <div class="sub">{HISTORY_NOTES[kind]}</div>
      </div>
      <Chart
        label={`${HISTORY_NAMES[kind]} of ${visible(result?.name ?? '')} by window; at this window ${value}`}
        height={kind === 'effect' ? 140 : 110}
        build={build}
        onPick={onPick}
      />
    </div>
  );
}
