/** Questions about baselines: a new one from windows, approval, the way back. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { BaselineInfo } from '../../../contracts/api.ts';
import { change } from '../data/client.ts';
import { baselineChangePath, baselinesPath } from '../data/paths.ts';
import type { NormalChoice } from '../words/baselines.ts';
import { count, plural } from '../words/numbers.ts';
import { type Ending, Frame } from './dialog-frame.tsx';
import { Said } from './words.tsx';

export function NewNormal(
  props: { readonly model: string; readonly windows: readonly NormalChoice[]; readonly from: number } & Ending,
): VNode {
  const { model, windows, close, done } = props;
  const [first, setFirst] = useState(Math.max(0, Math.min(props.from, windows.length - 1)));
  const [last, setLast] = useState(windows.length - 1);
  const chosen = windows.slice(first, last + 1);
  const rows = chosen.reduce((sum, window) => sum + window.rows, 0);
  const scripted = chosen.filter((window) => window.scripted).length;
  return (
    <Frame
      title="This is the new normal"
      action="Make the baseline"
      close={close}
      submit={async () => {
        const from = windows[first];
        const to = windows[last];
        if (from === undefined || to === undefined || last < first)
          throw new Error('the last window lies before the first; choose them the other way round');
        await change(baselinesPath(model), { from: from.start, to: to.start });
        done('The baseline is being made. It takes effect when somebody approves it.');
      }}
    >
      <p class="dialog-words">
        Makes a new baseline from the windows you choose. Nothing changes until it is approved; the one in force stays,
        and you can go back to it.
      </p>
      <label>
        First window
        <select value={String(first)} onChange={(event) => setFirst(Number(event.currentTarget.value))}>
          {windows.map((window, i) => (
            <option key={window.start} value={String(i)}>
              {window.words}
              {window.drifted ? ' ◆ drifted' : ''}
            </option>
          ))}
        </select>
      </label>
      <label>
        Last window
        <select value={String(last)} onChange={(event) => setLast(Number(event.currentTarget.value))}>
          {windows.map((window, i) => (
            <option key={window.start} value={String(i)}>
              {window.words}
              {window.drifted ? ' ◆ drifted' : ''}
            </option>
          ))}
        </select>
      </label>
      <p class="dialog-words" role="status">
        {chosen.length === 0
          ? 'The last window lies before the first.'
          : `${plural(chosen.length, 'window')}, ${count(rows)} rows.`}
        {chosen.length > 0 && chosen.length < 14
          ? ' Fewer than 14 windows: verdicts stay provisional until there are more.'
          : ''}
        {scripted > 0 ? ` ${plural(scripted, 'window')} of these belong to a scripted incident.` : ''}
      </p>
    </Frame>
  );
}

export function ChangeBaseline(
  props: { readonly kind: 'approve' | 'rollback'; readonly model: string; readonly baseline: BaselineInfo } & Ending,
): VNode {
  const { kind, model, baseline, close, done } = props;
  const approve = kind === 'approve';
  return (
    <Frame
      title={approve ? `Approve baseline ${baseline.n}` : 'Go back to the baseline before'}
      action={approve ? 'Approve' : 'Go back'}
      close={close}
      submit={async () => {
        await change(baselineChangePath(model, baseline.n, kind), { version: baseline.version });
        done(approve ? `Baseline ${baseline.n} is approved.` : 'The baseline before is put in force again.');
      }}
    >
      <p class="dialog-words">
        {approve
          ? `From the next windows on, the model is compared with baseline ${baseline.n} of version ${baseline.version} (${count(baseline.rows)} rows). Windows already judged stay as they are.`
          : `Instead of baseline ${baseline.n} of version ${baseline.version}, the approved one before it is put in force again, from the next windows on. Windows already judged stay as they are.`}
      </p>
      {baseline.findings.length === 0 ? null : (
        <>
          <p class="dialog-words">What was noticed when it was made:</p>
          <ul class="findings">
            {baseline.findings.map((finding) => (
              <li key={finding}>
                <Said text={finding} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Frame>
  );
}
