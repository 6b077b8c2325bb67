/** The life of the baselines: which is in force, a new one from windows, approval, the way back. */
import type { VNode } from 'preact';
import type { BaselineInfo, ModelAnswer, WindowView } from '../../../contracts/api.ts';
import type { Spanned } from '../charts/heatmap-model.ts';
import { canGoBack, inForce, normalChoices } from '../words/baselines.ts';
import { count, plural } from '../words/numbers.ts';
import { ask } from './dialogs.tsx';
import { Empty, Name, Said, When } from './words.tsx';

export function Baselines({
  answer,
  windows,
  zone,
}: {
  readonly answer: ModelAnswer;
  readonly windows: readonly Spanned<WindowView>[];
  readonly zone: string;
}): VNode {
  const { model } = answer.summary;
  const now = Date.parse(answer.now);
  const sorted = [...answer.baselines].sort((a, b) => b.n - a.n);
  const base = windows.filter(({ item }) => item.length === answer.lengths[0]);
  const { choices, from } = normalChoices(base, answer, zone);
  return (
    <section class="card" aria-labelledby="baselines">
      <div class="section-head">
        <h2 id="baselines">Baselines</h2>
        <button
          type="button"
          disabled={choices.length === 0}
          title={choices.length === 0 ? 'Needs windows of the shortest length: switch to them above' : undefined}
          onClick={() => ask({ kind: 'new-normal', model, windows: choices, from })}
        >
          This is the new normal …
        </button>
      </div>
      <p class="sub">
        What the windows are compared with. A new one counts only once it is approved; one that was learned from the
        first days counts at once, and what it says is marked provisional until then.
        {choices.length === 0 && windows.length > 0
          ? ` To make one, choose windows of ${answer.lengths[0]} above.`
          : ''}
      </p>
      {sorted.length === 0 ? (
        <Empty title="There is no baseline yet">
          {answer.summary.learning === undefined
            ? 'Make one with `mlmon profile`, or from windows you trust.'
            : 'It is being learned.'}
        </Empty>
      ) : (
        <div class="scroll-x">
          <table class="stack">
            <thead>
              <tr>
                <th scope="col">Baseline</th>
                <th scope="col">State</th>
                <th scope="col">Made from</th>
                <th scope="col">Rows</th>
                <th scope="col">In force from</th>
                <th scope="col">Approved</th>
                <th scope="col">
                  <span class="sr-only">Change</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((baseline) => (
                <BaselineRow
                  key={`${baseline.version} ${baseline.n}`}
                  model={model}
                  baseline={baseline}
                  state={inForce(baseline, answer.baselines, now)}
                  back={canGoBack(baseline, answer.baselines)}
                  zone={zone}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function BaselineRow({
  model,
  baseline,
  state,
  back,
  zone,
}: {
  readonly model: string;
  readonly baseline: BaselineInfo;
  readonly state: ReturnType<typeof inForce>;
  readonly back: boolean;
  readonly zone: string;
}): VNode {
  return (
    <tr>
      <th scope="row">
        {baseline.n}{' '}
        <span class="muted">
          version <Name text={baseline.version} most={20} />
        </span>
      </th>
      <td data-label="State">
        <div>
          <span class={state === 'in force' ? 'chip chip-good' : 'chip'}>{state}</span>
        </div>
      </td>
      <td data-label="Made from">
        <div>
          <Said text={baseline.source} most={160} />
          {baseline.findings.length === 0 ? null : (
            <details class="findings">
              <summary>{plural(baseline.findings.length, 'remark')}</summary>
              <ul>
                {baseline.findings.map((finding) => (
                  <li key={finding}>
                    <Said text={finding} />
                  </li>
                ))}
              </ul>
            </details>
          )}
        </div>
      </td>
      <td data-label="Rows" class="numeric">
        <div>{count(baseline.rows)}</div>
      </td>
      <td data-label="In force from">
        <div>
          {baseline.effectiveFrom !== null && Date.parse(baseline.effectiveFrom) <= 0 ? (
            'the beginning'
          ) : (
            <When at={baseline.effectiveFrom} zone={zone} />
          )}
        </div>
      </td>
      <td data-label="Approved">
        <div>
          {baseline.approved === null ? (
            <span class="muted">{state === 'taken over' ? 'under a later number' : 'not yet'}</span>
          ) : (
            <>
              by <Name text={baseline.approved.by} most={32} />, <When at={baseline.approved.at} zone={zone} />
            </>
          )}
        </div>
      </td>
      <td class="row-actions">
        {state === 'waits for approval' || state === 'provisional' ? (
          <button type="button" class="primary" onClick={() => ask({ kind: 'approve', model, baseline })}>
            Approve
          </button>
        ) : back ? (
          <button type="button" onClick={() => ask({ kind: 'rollback', model, baseline })}>
            Go back
          </button>
        ) : null}
      </td>
    </tr>
  );
}
