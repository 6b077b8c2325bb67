/** The platform's own health: does it see everything, and if not, what is wrong. */
import type { VNode } from 'preact';
import type { Health, HealthAnswer } from '../../../contracts/api.ts';
import { useLive } from '../data/hooks.ts';
import { HEALTH } from '../data/paths.ts';
import { Icon } from '../parts/icon.tsx';
import { Empty, Name, Said, Skeleton, When } from '../parts/words.tsx';
import { bytes, compact, count, plural } from '../words/numbers.ts';
import { quarantineWords, sortedReasons } from '../words/quarantine.ts';
import { instant, span } from '../words/times.ts';

export function HealthPage(): VNode {
  const { data, error } = useLive<HealthAnswer>(HEALTH);
  if (data === null)
    return error === null ? (
      <Skeleton height={320} label="Loading the health" />
    ) : (
      <Empty title="The health cannot be shown">{error.message}</Empty>
    );
  const { health, quarantine, now } = data;
  return (
    <>
      <div class="page-head">
        <h1>
          <span class={health.status === 'ok' ? 'calm' : health.status === 'failing' ? 'alarmed' : 'uneasy'}>
            <Icon name={health.status === 'ok' ? 'ok' : health.status === 'failing' ? 'failed' : 'warning'} size={22} />
          </span>{' '}
          {health.status === 'ok' ? 'The platform is well' : `The platform is ${health.status}`}
        </h1>
      </div>
      {health.problems.length === 0 ? null : (
        <section class="card problems" aria-labelledby="problems">
          <h2 id="problems">{plural(health.problems.length, 'problem')}</h2>
          <ul>
            {health.problems.map((problem) => (
              <li key={problem}>
                <Said text={problem} />
              </li>
            ))}
          </ul>
          <p class="sub">
            <code>mlmon doctor</code> checks the installation and says how to mend it.
          </p>
        </section>
      )}
      <div class="tiles card">
        <Tile
          name="Events a second"
          value={compact(health.eventsPerSecond)}
          note={`${count(health.counts.received)} received in all`}
        />
        <Tile
          name="Last evaluation"
          value={
            health.lastEvaluation === null
              ? 'none yet'
              : span((instant(now) ?? 0) - (instant(health.lastEvaluation) ?? 0))
          }
          note={health.lastEvaluation === null ? '' : 'ago, by the platform’s clock'}
        />
        <Tile name="Memory" value={bytes(health.memoryBytes)} note="of the process" />
        <Tile name="Running for" value={span(health.uptimeSeconds * 1000)} note="since its start" />
      </div>
      <Counts counts={health.counts} />
      <Partitions health={health} />
      <section class="card" aria-labelledby="parts">
        <h2 id="parts">Parts</h2>
        <ul class="parts">
          {health.parts.map((part) => (
            <li key={part.name}>
              <span class={`chip part-${part.state}`}>
                <Icon
                  name={part.state === 'running' ? 'ok' : part.state === 'failing' ? 'failed' : 'learning'}
                  size={12}
                />
                {part.state}
              </span>{' '}
              <strong>{part.name}</strong>
              {part.error === null ? null : (
                <div class="culprit-words">
                  <Said text={part.error} />
                </div>
              )}
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="quarantine">
        <h2 id="quarantine">Quarantine</h2>
        <p class="sub">What could not be read is kept here with its reason; the rest of its batch went on.</p>
        {quarantine.length === 0 ? (
          <Empty title="Nothing is in quarantine" />
        ) : (
          <div class="scroll-x">
            <table class="stack">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Reason</th>
                  <th scope="col">What was wrong</th>
                  <th scope="col">Its beginning</th>
                </tr>
              </thead>
              <tbody>
                {quarantine.slice(0, 50).map((row, i) => (
                  <tr key={`${row.at} ${i}`}>
                    <td data-label="When">
                      <div>
                        <When at={row.at} />
                      </div>
                    </td>
                    <td data-label="Reason">
                      <div>
                        <strong>{quarantineWords(row.reason)}</strong>
                      </div>
                    </td>
                    <td data-label="What was wrong">
                      <div>
                        <Name text={row.detail} most={160} />
                      </div>
                    </td>
                    <td data-label="Its beginning">
                      <div>
                        <code class="excerpt">
                          <Said text={row.excerpt} most={120} />
                        </code>
                      </div>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function Tile({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }): VNode {
  return (
    <div class="tile">
      <div class="tile-name">{name}</div>
      <div class="figure">{value}</div>
      <span class="muted">{note}</span>
    </div>
  );
}

function Counts({ counts }: { readonly counts: Health['counts'] }): VNode {
  const quarantined = sortedReasons(counts.quarantined);
  const total = quarantined.reduce((sum, [, n]) => sum + n, 0);
  return (
    <section class="card" aria-labelledby="counts">
      <h2 id="counts">What became of the events</h2>
      <dl class="counts">
        <Count name="received" value={counts.received} />
        <Count name="profiled" value={counts.profiled} />
        <Count name="captured" value={counts.captured} />
        <Count name="labels" value={counts.labels} />
        <Count name="too late" value={counts.beyond} note="captured, but in no window" />
        <Count name="in quarantine" value={total} bad={total > 0} />
        <Count
          name="lost"
          value={counts.lost}
          bad={counts.lost > 0}
          note={counts.lost > 0 ? 'the log dropped them before they were read' : undefined}
        />
      </dl>
      {total === 0 ? null : (
        <ul class="reasons" aria-label="Quarantine by reason">
          {quarantined.map(([reason, n]) => (
            <li key={reason}>
              <span class="reason-bar" style={{ width: `${Math.max(1, (n / total) * 100)}%` }} aria-hidden="true" />
              <span>{quarantineWords(reason)}</span> <b>{count(n)}</b>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Count({
  name,
  value,
  bad = false,
  note,
}: {
  readonly name: string;
  readonly value: number;
  readonly bad?: boolean;
  readonly note?: string;
}): VNode {
  return (
    <div class={bad ? 'bad' : ''}>
      <dt>{name}</dt>
      <dd title={note}>{count(value)}</dd>
    </div>
  );
}

function Partitions({ health }: { readonly health: Health }): VNode {
  // A few records behind is how it always is: the bar is full from a thousand on.
  const most = Math.max(1000, ...health.partitions.map(({ lag }) => lag));
  return (
    <section class="card" aria-labelledby="partitions">
      <h2 id="partitions">Partitions of the log</h2>
      {health.partitions.length === 0 ? (
        <Empty title="The log has no partition yet" />
      ) : (
        <div class="scroll-x">
          <table class="stack">
            <thead>
              <tr>
                <th scope="col">Partition</th>
                <th scope="col">Behind</th>
                <th scope="col">Head</th>
                <th scope="col">Profiled</th>
                <th scope="col">Archived</th>
              </tr>
            </thead>
            <tbody>
              {health.partitions.map((partition) => (
                <tr key={partition.id}>
                  <th scope="row">
                    <Name text={partition.id} most={40} /> {partition.closed ? <span class="chip">closed</span> : null}
                  </th>
                  <td data-label="Behind">
                    <div>
                      <span class="lag">
                        <span class="lag-bar" aria-hidden="true">
                          <i style={{ width: `${(partition.lag / most) * 100}%` }} />
                        </span>
                        {partition.lag === 0 ? 'at the head' : plural(partition.lag, 'record')}
                      </span>
                    </div>
                  </td>
                  <td data-label="Head" class="numeric">
                    <div>{partition.head ?? '–'}</div>
                  </td>
                  <td data-label="Profiled" class="numeric">
                    <div>{partition.profiled ?? '–'}</div>
                  </td>
                  <td data-label="Archived" class="numeric">
                    <div>{partition.archived ?? '–'}</div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
