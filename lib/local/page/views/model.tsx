/** One model: what changed and when, how well it does, its traffic, its baselines. Everything on one time axis. */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ModelAnswer, WindowsAnswer } from '../../../contracts/api.ts';
import { spanned } from '../charts/heatmap-model.ts';
import type { Timeline } from '../charts/timeline.ts';
import { useLive } from '../data/hooks.ts';
import { modelPath, windowLimit, windowsPath } from '../data/paths.ts';
import { href, type ModelRoute } from '../data/routes.ts';
import { AlertCard } from '../parts/alert-card.tsx';
import { DemonstrationBanner } from '../parts/banners.tsx';
import { Baselines } from '../parts/baselines.tsx';
import { Learning } from '../parts/learning.tsx';
import { PerformancePanels } from '../parts/performance-panels.tsx';
import { TimelinePanel } from '../parts/timeline-panel.tsx';
import { TrafficPanels } from '../parts/traffic-panels.tsx';
import { WindowPanel } from '../parts/window-panel.tsx';
import { Empty, Name, Said, Skeleton, StateChip } from '../parts/words.tsx';
import { bandsOf, timelineOf } from '../words/bands.ts';
import { alertsByUrgency } from '../words/model-list.ts';
import { plural } from '../words/numbers.ts';

export function ModelPage({ route }: { readonly route: ModelRoute }): VNode {
  const model = useLive<ModelAnswer>(modelPath(route.model));
  const answer = model.data;
  const limit = windowLimit(route.limit, answer?.features.length ?? 0);
  const length = route.length ?? answer?.lengths[0];
  const version = route.version ?? answer?.summary.version ?? undefined;
  const windowsLive = useLive<WindowsAnswer>(
    answer === null ? null : windowsPath(route.model, { version, length, to: route.to, limit }),
    route.model,
  );
  const zone = answer?.monitor.window.timezone ?? 'UTC';
  const windows = useMemo(() => spanned(windowsLive.data?.windows ?? []), [windowsLive.data?.windows]);
  const performance = useMemo(
    () => spanned(windowsLive.data?.performance ?? []).map(({ item }) => item),
    [windowsLive.data?.performance],
  );
  const bands = useMemo(
    () => bandsOf(answer?.episodes ?? [], answer?.demonstration?.incidents ?? [], answer?.now, version),
    [answer?.episodes, answer?.demonstration?.incidents, answer?.now, version],
  );
  const span = timelineOf(windows);
  const timeline: Timeline = useMemo(
    () => ({ from: span.from, to: span.to, zone, bands }),
    [span.from, span.to, zone, bands],
  );

  if (answer === null)
    return model.error === null ? (
      <Skeleton height={420} label="Loading the model" />
    ) : (
      <Missing model={route.model} message={model.error.message} />
    );
  const open = answer.episodes.filter((episode) => episode.state === 'open').sort(alertsByUrgency);
  const { summary, monitor } = answer;
  const chosen =
    route.at === undefined ? (windows.at(-1) ?? null) : (windows.find(({ from }) => from === route.at) ?? null);
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href="#/">Models</a> <span aria-hidden="true">/</span>
      </nav>
      <div class="page-head">
        <h1>
          <Name text={answer.summary.model} most={64} />
        </h1>
        <StateChip status={summary.state} />
        <p class="sub">
          <Name text={summary.owner} /> · {summary.task.replaceAll('-', ' ')} · budget {monitor.budget} · times in{' '}
          {zone}
          {summary.removed ? ' · removed' : ''}
        </p>
      </div>
      {summary.reason === null ? null : (
        <p class="reason-line">
          <Said text={summary.reason} />
        </p>
      )}
      {summary.learning === undefined ? null : <Learning learning={summary.learning} zone={zone} />}
      {answer.demonstration === undefined ? null : <DemonstrationBanner demonstration={answer.demonstration} />}
      {open.length === 0 ? null : (
        <section class="alerts" aria-label="Open alerts of this model">
          {open.map((alert) => (
            <AlertCard
              key={alert.id}
              alert={alert.timezone === undefined ? { ...alert, timezone: zone } : alert}
              now={answer.now}
              demonstration={answer.demonstration}
            />
          ))}
        </section>
      )}
      <TimelinePanel
        answer={answer}
        route={{ ...route, version, length }}
        windows={windows}
        timeline={timeline}
        limit={limit}
        pending={windowsLive.pending}
        chosen={chosen === null ? null : windows.indexOf(chosen)}
        loaded={windowsLive.data !== null}
        error={windowsLive.error?.message ?? null}
      />
      {windows.length === 0 ? null : (
        <>
          {chosen === null ? null : (
            <WindowPanel window={chosen} zone={zone} model={route.model} newest={chosen === windows.at(-1)} />
          )}
          <PerformancePanels
            performance={performance}
            timeline={timeline}
            horizon={monitor.truth.horizon}
            task={monitor.task}
            zone={zone}
            judgedOn={length === answer.lengths[0] ? null : (answer.lengths[0] ?? null)}
          />
          <TrafficPanels windows={windows} timeline={timeline} />
        </>
      )}
      <Baselines answer={answer} windows={windows} zone={zone} />
      <p class="sub">
        Monitor {answer.monitorNumber} · windows of {monitor.window.every}, judged {monitor.window.lateness} after their
        end, revised for {monitor.window.revise} · at least {plural(monitor.window.minimumRows, 'row')} ·{' '}
        <a href={href({ view: 'alerts', model: route.model })}>all alerts of this model</a>
      </p>
    </>
  );
}

function Missing({ model, message }: { readonly model: string; readonly message: string }): VNode {
  return (
    <Empty title="This model cannot be shown">
      <p>
        <Name text={model} />: {message}
      </p>
      <p>
        <a href="#/">All models</a>
      </p>
    </Empty>
  );
}
