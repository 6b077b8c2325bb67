/** One alert: what is wrong, since when, how large, and what to do. */
import type { VNode } from 'preact';
import type { AlertView, Demonstration } from '../../../contracts/api.ts';
import { href } from '../data/routes.ts';
import { incidentWords } from '../words/bands.ts';
import { effectText } from '../words/numbers.ts';
import { safeLink } from '../words/safe.ts';
import { effectStep, effectWord, signalHeadline, signalNoun } from '../words/states.ts';
import { instant, span } from '../words/times.ts';
import { ask } from './dialogs.tsx';
import { Icon } from './icon.tsx';
import { cssName, Name, Said, SeverityChip, When } from './words.tsx';

/** The scripted incident that an alert overlaps, if any: nobody should take it for a real one. */
export function scriptedIncident(
  alert: Pick<AlertView, 'since' | 'opened'>,
  demonstration: Demonstration | undefined,
): Demonstration['incidents'][number] | undefined {
  const since = instant(alert.since) ?? 0;
  const opened = instant(alert.opened) ?? since;
  return demonstration?.incidents.find(({ start, end }) => {
    const from = instant(start);
    const to = instant(end);
    return from !== null && to !== null && since < to && Math.max(opened, since + 1) > from;
  });
}

export interface AlertCardProps {
  readonly alert: AlertView;
  readonly now: string | undefined;
  readonly demonstration?: Demonstration;
  /** Everything that is known, not only what the first look needs. */
  readonly full?: boolean;
  readonly chosen?: boolean;
}

export function AlertCard({ alert, now, demonstration, full = false, chosen = false }: AlertCardProps): VNode {
  const zone = alert.timezone ?? 'UTC';
  const scripted = scriptedIncident(alert, demonstration);
  const open = alert.state === 'open';
  const since = instant(alert.since);
  const until = instant(open ? now : alert.closed);
  const runbook = safeLink(alert.runbook);
  const shown = full ? alert.features : alert.features.slice(0, 4);
  return (
    <article
      id={`alert-${alert.id}`}
      class={`alert ${open ? `alert-${cssName(alert.severity)}` : 'alert-closed'}${chosen ? ' chosen' : ''}`}
      aria-label={`${signalHeadline(alert.signal)}, ${alert.model}, ${alert.state}`}
    >
      <header>
        <span class={`alert-sign severity-${cssName(open ? alert.severity : 'closed')}`}>
          <Icon name={open ? alert.severity : 'ok'} size={20} />
        </span>
        <h3>
          {open ? signalHeadline(alert.signal) : `${signalNoun(alert.signal)}: recovered`}
          <span class="alert-model">
            <a href={href({ view: 'model', model: alert.model, version: alert.version })}>
              <Name text={alert.model} most={40} />
            </a>
            <span class="muted"> version </span>
            <Name text={alert.version} most={24} />
          </span>
        </h3>
        <div class="alert-chips">
          {open ? <SeverityChip severity={alert.severity} /> : <span class="chip">closed</span>}
          {alert.provisional ? (
            <span class="chip" title="The baseline has few windows, so the limits are not yet tightened.">
              provisional
            </span>
          ) : null}
          {alert.silenced ? <span class="chip">silenced</span> : null}
          {alert.acknowledged === null ? null : <span class="chip chip-good">acknowledged</span>}
          {alert.corrected ? (
            <span class="chip" title="A later revision of its windows took it back.">
              corrected
            </span>
          ) : null}
        </div>
      </header>
      {scripted === undefined ? null : (
        <p class="scripted-note">
          <Icon name="scripted" /> Part of the scripted incident
          {full ? (
            <>
              : <Said text={incidentWords(scripted.description)} />
            </>
          ) : (
            ' of this demonstration'
          )}
        </p>
      )}
      <p class="alert-summary">
        <Said text={alert.summary} />
      </p>
      <dl class="alert-facts">
        <div>
          <dt>Since</dt>
          <dd>
            <When at={alert.since} zone={zone} />
            {since === null || until === null ? null : (
              <span class="muted">{open ? ` (${span(until - since)})` : ` (lasted ${span(until - since)})`}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>{alert.signal === 'performance' ? 'Metrics' : 'Features'}</dt>
          <dd>
            {shown.length === 0 ? <span class="muted">none named</span> : null}
            <ul class="culprits">
              {shown.map((feature) => (
                <li key={feature.name}>
                  <a
                    href={href(
                      alert.signal === 'drift' || alert.signal === 'quality'
                        ? {
                            view: 'feature',
                            model: alert.model,
                            feature: feature.name,
                            version: alert.version,
                            length: alert.length,
                            start: instant(feature.since) ?? undefined,
                          }
                        : { view: 'model', model: alert.model, version: alert.version },
                    )}
                  >
                    <Name text={feature.name} most={32} />
                  </a>
                  <Magnitude effect={feature.effect} />
                  {feature.aspect === null ? null : (
                    <span class="muted">
                      {' '}
                      <Name text={feature.aspect} />
                    </span>
                  )}
                  {full ? (
                    <div class="culprit-words">
                      <Said text={feature.summary} /> · since <When at={feature.since} zone={zone} />
                    </div>
                  ) : null}
                </li>
              ))}
            </ul>
            {alert.features.length > shown.length ? (
              <span class="muted">and {alert.features.length - shown.length} more</span>
            ) : null}
          </dd>
        </div>
        {full ? <Details alert={alert} zone={zone} /> : null}
      </dl>
      <footer>
        {runbook === null ? null : (
          <a class="button primary" href={runbook} target="_blank" rel="noreferrer noopener">
            What to do: runbook
          </a>
        )}
        {full ? null : (
          <a class="button" href={href({ view: 'alerts', id: alert.id })}>
            Details
          </a>
        )}
        {open && alert.acknowledged === null ? (
          <button type="button" onClick={() => ask({ kind: 'acknowledge', alert })}>
            Acknowledge
          </button>
        ) : null}
        {open && !alert.silenced ? (
          <button type="button" onClick={() => ask({ kind: 'silence', model: alert.model, signal: alert.signal })}>
            Silence
          </button>
        ) : null}
      </footer>
    </article>
  );
}

/** The effect as a bar of four steps and a word. */
export function Magnitude({ effect }: { readonly effect: number | null }): VNode | null {
  if (effect === null) return null;
  const step = effectStep(effect);
  return (
    <span class="magnitude" title={`effect w = ${effectText(effect)}; 0.05 tiny, 0.1 small, 0.3 medium, 0.5 large`}>
      <span class="magnitude-bar" aria-hidden="true">
        {[1, 2, 3, 4].map((i) => (
          <i key={i} class={i <= step ? `on drift-${step}` : ''} />
        ))}
      </span>
      {effectWord(effect)} ({effectText(effect)})
    </span>
  );
}

/** Of a delivery that succeeded the detail is its time. */
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function Details({ alert, zone }: { readonly alert: AlertView; readonly zone: string }): VNode {
  return (
    <>
      <div>
        <dt>Opened</dt>
        <dd>
          <When at={alert.opened} zone={zone} /> <span class="muted">by windows of {alert.length}</span>
        </dd>
      </div>
      {alert.closed === null ? null : (
        <div>
          <dt>Closed</dt>
          <dd>
            <When at={alert.closed} zone={zone} />
          </dd>
        </div>
      )}
      <div>
        <dt>Owner</dt>
        <dd>
          <Name text={alert.owner} />
        </dd>
      </div>
      {alert.acknowledged === null ? null : (
        <div>
          <dt>Acknowledged</dt>
          <dd>
            by <Name text={alert.acknowledged.by} />, <When at={alert.acknowledged.at} zone={zone} />
            {alert.acknowledged.note === '' ? null : (
              <div class="note">
                <Said text={alert.acknowledged.note} most={2000} />
              </div>
            )}
          </dd>
        </div>
      )}
      <div>
        <dt>Changes in its window</dt>
        <dd>
          {alert.context.length === 0 ? (
            <span class="muted">no new baseline, monitor or version</span>
          ) : (
            <ul class="plain">
              {alert.context.map((line) => (
                <li key={line}>
                  <Said text={line} />
                </li>
              ))}
            </ul>
          )}
        </dd>
      </div>
      <div>
        <dt>Sent</dt>
        <dd>
          {alert.deliveries.length === 0 ? <span class="muted">to no channel</span> : null}
          <ul class="plain">
            {alert.deliveries.map((delivery, i) => (
              <li key={`${i} ${delivery.transition} ${delivery.channel}`} class={`delivery-${cssName(delivery.state)}`}>
                <Icon
                  name={delivery.state === 'delivered' ? 'ok' : delivery.state === 'failed' ? 'failed' : 'immature'}
                  size={12}
                />{' '}
                {transitionWords(delivery.transition)} to <Name text={delivery.channel} />: {delivery.state}
                {delivery.detail === null ? null : (
                  <span class="muted">
                    {' '}
                    (
                    {TIME.test(delivery.detail) ? (
                      <When at={delivery.detail} zone={zone} />
                    ) : (
                      <Said text={delivery.detail} most={200} />
                    )}
                    )
                  </span>
                )}
              </li>
            ))}
          </ul>
        </dd>
      </div>
    </>
  );
}

/** `<episode id>/opened/1` → `opened`. */
function transitionWords(transition: string): string {
  const kind = transition.split('/').find((part) => part === 'opened' || part === 'closed' || part === 'corrected');
  return kind ?? transition;
}
