/** One window in words: its state, what changed in it, what is wrong with its data, and where. */
import type { VNode } from 'preact';
import type { WindowView } from '../../../contracts/api.ts';
import type { Spanned } from '../charts/heatmap-model.ts';
import { href } from '../data/routes.ts';
import { count, plural } from '../words/numbers.ts';
import { stateWords } from '../words/states.ts';
import { Magnitude } from './alert-card.tsx';
import { Name, Said, StateChip, WindowName } from './words.tsx';

export function WindowPanel({
  window,
  zone,
  model,
  newest,
}: {
  readonly window: Spanned<WindowView>;
  readonly zone: string;
  readonly model: string;
  readonly newest: boolean;
}): VNode {
  const { item, from } = window;
  // While a baseline is learned that is so of every feature, and has been said of the window.
  const isLearning = item.status === 'learning';
  const changed = Object.entries(item.features)
    .filter(([, { status }]) => status !== 'ok' && !(isLearning && status === 'learning'))
    .sort(([, a], [, b]) => stateWords(b.status).rank - stateWords(a.status).rank || (b.effect ?? 0) - (a.effect ?? 0));
  const segments = item.segments.filter((segment) => segment.status === 'drifted');
  return (
    <section class="card" aria-labelledby="window">
      <div class="section-head">
        <h2 id="window">
          {newest ? 'Newest window: ' : 'Window: '}
          <WindowName start={item.start} end={item.end} zone={zone} />
        </h2>
        <StateChip status={item.status} />
      </div>
      <p class="sub">
        {/* Where an expectation is known, what is said of the volume begins with the rows. */}
        {item.volume?.expected == null ? `${count(item.rows)} rows` : item.volume.summary}
        {item.volume !== null && item.volume.expected === null ? `; volume: ${item.volume.summary}` : ''}
        {item.revision > 0 ? `; revised ${plural(item.revision, 'time')} by records that came late` : ''}
      </p>
      {item.reason === null ? null : (
        <p class="reason-line">
          <Said text={item.reason} />
        </p>
      )}
      <div class="window-lists">
        <div>
          <h3>Features that are not ok</h3>
          {changed.length === 0 ? <p class="muted">{isLearning ? 'None is judged yet.' : 'None.'}</p> : null}
          <ul class="culprits">
            {changed.slice(0, 12).map(([name, cell]) => (
              <li key={name}>
                <StateChip status={cell.status} />{' '}
                <a
                  href={href({
                    view: 'feature',
                    model,
                    feature: name,
                    version: item.version,
                    length: item.length,
                    start: from,
                  })}
                >
                  <Name text={name} most={32} />
                </a>
                {cell.status === 'drifted' ? <Magnitude effect={cell.effect} /> : null}
                <div class="culprit-words">
                  <Said text={cell.summary} />
                </div>
              </li>
            ))}
          </ul>
          {changed.length > 12 ? <p class="muted">and {count(changed.length - 12)} more</p> : null}
        </div>
        <div>
          <h3>Data quality</h3>
          {item.quality.length === 0 ? <p class="muted">Nothing to remark.</p> : null}
          <ul class="culprits">
            {item.quality.slice(0, 12).map((check) => (
              <li key={`${check.check} ${check.feature}`}>
                <StateChip status={check.status} label={check.breach ? 'breach' : undefined} />{' '}
                <strong>{check.check.replaceAll('-', ' ')}</strong>
                {check.feature === null ? null : (
                  <>
                    {' '}
                    of <Name text={check.feature} most={32} />
                  </>
                )}
                <div class="culprit-words">
                  <Said text={check.summary} />
                </div>
              </li>
            ))}
          </ul>
          {item.quality.length > 12 ? <p class="muted">and {count(item.quality.length - 12)} more</p> : null}
        </div>
        {item.segments.length === 0 ? null : (
          <div>
            <h3>Segments</h3>
            {segments.length === 0 ? (
              <p class="muted">None of {plural(item.segments.length, 'segment')} changed on its own.</p>
            ) : (
              <ul class="culprits">
                {segments.slice(0, 12).map((segment) => (
                  <li key={segment.segment}>
                    <StateChip status={segment.status} /> <Name text={segment.segment} most={32} />{' '}
                    <span class="muted">{count(segment.rows)} rows</span>
                    <div class="culprit-words">
                      {segment.drifted.map((name, i) => (
                        <span key={name}>
                          {i === 0 ? '' : ', '}
                          <Name text={name} most={28} />
                        </span>
                      ))}
                    </div>
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
      </div>
    </section>
  );
}
