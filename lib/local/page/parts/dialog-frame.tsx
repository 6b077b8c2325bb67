/** The frame of a question: a title, fields, and what the platform says against it. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestError } from '../data/client.ts';
import { refresh } from '../data/live.ts';

export interface Ending {
  readonly close: () => void;
  readonly done: (words: string) => void;
}

export function Frame(props: {
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
