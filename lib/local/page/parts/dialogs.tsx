/** Questions that a change asks, one at a time, and the word about what became of it. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AlertView, BaselineInfo } from '../../../contracts/api.ts';
import type { Signal } from '../../../contracts/result.ts';
import { change } from '../data/client.ts';
import { acknowledgePath, SILENCES } from '../data/paths.ts';
import type { NormalChoice } from '../words/baselines.ts';
import { signalNoun } from '../words/states.ts';
import { ChangeBaseline, NewNormal } from './baseline-dialogs.tsx';
import { type Ending, Frame } from './dialog-frame.tsx';
import { Name } from './words.tsx';

export type Question =
  | { readonly kind: 'acknowledge'; readonly alert: AlertView }
  | { readonly kind: 'silence'; readonly model: string; readonly signal: Signal | null }
  | {
      readonly kind: 'new-normal';
      readonly model: string;
      readonly windows: readonly NormalChoice[];
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
