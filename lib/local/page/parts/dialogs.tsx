/** Questions that a change asks, one at a time, and the word about what became of it. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlertView, BaselineInfo } from '../../../contracts/api.ts';
import type { Signal } from '../../../contracts/result.ts';
import { change, RequestError, rememberToken } from '../data/client.ts';
import { refresh } from '../data/live.ts';
import { acknowledgePath, baselineChangePath, baselinesPath, SILENCES } from '../data/paths.ts';
import { count, plural } from '../words/numbers.ts';
import { signalNoun } from '../words/states.ts';
import { Name, Said } from './words.tsx';

export interface WindowChoice {
  readonly start: string;
  readonly end: string;
  readonly words: string;
  readonly rows: number;
  readonly drifted: boolean;
  readonly scripted: boolean;
}

export type Question =
  | { readonly kind: 'acknowledge'; readonly alert: AlertView }
  | { readonly kind: 'silence'; readonly model: string; readonly signal: Signal | null }
  | {
      readonly kind: 'new-normal';
      readonly model: string;
      readonly windows: readonly WindowChoice[];
      /** Index of the first window that is suggested. */
      readonly from: number;
    }
  | {
      readonly kind: 'approve' | 'rollback';
      readonly model: string;
      readonly baseline: BaselineInfo;
    };

type Listener = (question: Question | null) => void;
let listener: Listener = () => {};

export function ask(question: Question): void {
  listener(question);
}

export function Dialogs(): VNode {
  const [question, setQuestion] = useState<Question | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  listener = setQuestion;
  useEffect(() => {
    if (said === null) return undefined;
    const timer = setTimeout(() => setSaid(null), 6000);
    return () => clearTimeout(timer);
  }, [said]);
  const done = (words: string): void => {
    setQuestion(null);
    setSaid(words);
  };
  const close = (): void => setQuestion(null);
  return (
    <>
      {question === null ? null : question.kind === 'acknowledge' ? (
        <Acknowledge alert={question.alert} close={close} done={done} />
      ) : question.kind === 'silence' ? (
        <Silence model={question.model} signal={question.signal} close={close} done={done} />
      ) : question.kind === 'new-normal' ? (
        <NewNormal {...question} close={close} done={done} />
      ) : (
        <ChangeBaseline {...question} close={close} done={done} />
      )}
      <div class="toast-place" role="status">
        {said === null ? null : <div class="toast">{said}</div>}
      </div>
    </>
  );
}

interface Ending {
  readonly close: () => void;
  readonly done: (words: string) => void;
}

function Frame(props: {
  readonly title: string;
  readonly action: string;
  readonly children: ComponentChildren;
  readonly close: () => void;
  readonly submit: () => Promise<void>;
}): VNode {
  const { title, action, children, close, submit } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await submit();
      void refresh();
    } catch (error) {
      setBusy(false);
      const locked = error instanceof RequestError && error.status === 401;
      if (locked) void refresh();
      setProblem(
        locked
          ? 'The platform wants a token for this. Enter it and try again.'
          : error instanceof RequestError
            ? error.message
            : String(error),
      );
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={close}>
      <form onSubmit={(event) => void send(event)}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        {problem === null ? null : (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-actions">
          <button type="button" class="quiet" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {busy ? 'Working …' : action}
          </button>
        </div>
      </form>
    </dialog>
  );
}

const NAME = 'mlmon.name';

function useOwnName(): [string, (name: string) => void] {
  const [name, set] = useState(() => {
    try {
      return localStorage.getItem(NAME) ?? '';
    } catch {
      return '';
    }
  });
  return [
    name,
    (value) => {
      set(value);
      try {
        localStorage.setItem(NAME, value);
      } catch {
        // The name is then asked for again.
      }
    },
  ];
}

function Acknowledge({ alert, close, done }: { readonly alert: AlertView } & Ending): VNode {
  const [name, setName] = useOwnName();
  const [note, setNote] = useState('');
  return (
    <Frame
      title="Acknowledge this alert"
      action="Acknowledge"
      close={close}
      submit={async () => {
        const by = name.trim();
        await change(acknowledgePath(alert.id), { ...(by === '' ? {} : { by }), note: note.trim() });
        done('Acknowledged. The alert stays open until its condition has recovered.');
      }}
    >
      <p class="dialog-words">
        {signalNoun(alert.signal)} of <Name text={alert.model} />. Others see that somebody looks after it; nothing is
        silenced.
      </p>
      <label>
        Your name
        <input
          value={name}
          maxLength={128}
          autoComplete="name"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        Note
        <textarea
          value={note}
          rows={3}
          maxLength={1000}
          placeholder="What is known, what is being done"
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
    </Frame>
  );
}

const SPANS = [
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
] as const;

function Silence({
  model,
  signal,
  close,
  done,
}: { readonly model: string; readonly signal: Signal | null } & Ending): VNode {
  const [length, setLength] = useState('4h');
  const [all, setAll] = useState(signal === null);
  const [reason, setReason] = useState('');
  return (
    <Frame
      title="Silence for a time"
      action="Silence"
      close={close}
      submit={async () => {
        await change(SILENCES, { model, signal: all ? null : signal, for: length, reason: reason.trim() });
        done('Silenced. Alerts are still shown here; nothing is sent until the time is over.');
      }}
    >
      <p class="dialog-words">
        Alerts of <Name text={model} /> are still recorded and shown, but not sent.
      </p>
      <label>
        For
        <select value={length} onChange={(event) => setLength(event.currentTarget.value)}>
          {SPANS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {signal === null ? null : (
        <label>
          What
          <select value={all ? 'all' : 'one'} onChange={(event) => setAll(event.currentTarget.value === 'all')}>
            <option value="one">only {signalNoun(signal).toLowerCase()}</option>
            <option value="all">everything about this model</option>
          </select>
        </label>
      )}
      <label>
        Reason
        <input
          value={reason}
          required
          maxLength={500}
          placeholder="For whoever looks here next"
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </Frame>
  );
}

function NewNormal(
  props: { readonly model: string; readonly windows: readonly WindowChoice[]; readonly from: number } & Ending,
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

function ChangeBaseline(
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

/** Asked for once; kept as long as the tab. */
export function TokenForm({ refused }: { readonly refused: boolean }): VNode {
  const [value, setValue] = useState('');
  return (
    <form
      class="token card"
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() === '') return;
        rememberToken(value.trim());
        setValue('');
        void refresh();
      }}
    >
      <h2>This platform wants a token</h2>
      <p class="dialog-words">
        {refused
          ? 'The token was refused. Enter one that may read, and administer if you want to change anything.'
          : 'It was started with a token. The token is kept in this tab only and forgotten when you close it.'}
      </p>
      <label>
        Token
        <input
          type="password"
          value={value}
          autoComplete="off"
          required
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </label>
      <div class="dialog-actions">
        <button type="submit" class="primary">
          Continue
        </button>
      </div>
    </form>
  );
}
