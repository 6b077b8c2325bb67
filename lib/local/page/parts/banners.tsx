/** What stands above every view: the connection, when it is lost, and the demonstration. */
import type { VNode } from 'preact';
import type { Demonstration } from '../../../contracts/api.ts';
import { useConnection, useSeconds } from '../data/hooks.ts';
import { refresh } from '../data/live.ts';
import { incidentWords } from '../words/bands.ts';
import { share } from '../words/numbers.ts';
import { span } from '../words/times.ts';
import { Icon } from './icon.tsx';
import { Said, WindowName } from './words.tsx';

export function ConnectionBanner(): VNode | null {
  const { state, lastAt, message } = useConnection();
  const wrong = state === 'lost' || state === 'failing';
  const now = useSeconds(wrong);
  if (!wrong) return null;
  const lost = state === 'lost';
  return (
    <div class="banner banner-lost" role="alert">
      <Icon name="failed" size={18} />
      <div>
        <strong>{lost ? 'No longer connected to the platform.' : 'The platform answers with an error.'}</strong>{' '}
        {lastAt === null ? (
          'Nothing has been received yet.'
        ) : (
          <>
            What you see is of{' '}
            <time dateTime={new Date(lastAt).toISOString()}>{new Date(lastAt).toLocaleTimeString('en-GB')}</time> (
            {span(now - lastAt)} ago) and may be out of date.
          </>
        )}
        <div class="banner-words">
          {lost ? (
            <>
              What to do: look at the terminal it was started in; if it has stopped, start it again with{' '}
              <code>npm start</code> or <code>mlmon serve</code>: it goes on where it stopped. If it runs, check that
              this address still leads to it.
            </>
          ) : (
            <>
              It said: “{message}”. What to do: look at its log, run <code>mlmon doctor</code>, and see that the disk is
              not full.
            </>
          )}{' '}
          The page keeps trying.
        </div>
      </div>
      <button type="button" onClick={() => void refresh()}>
        Try now
      </button>
    </div>
  );
}

export function DemonstrationBanner({ demonstration }: { readonly demonstration: Demonstration }): VNode {
  const { title, state, progress, message, incidents } = demonstration;
  const done = state === 'done';
  return (
    <section class="banner banner-demo" aria-label="Demonstration">
      <Icon name="scripted" size={18} />
      <div class="demo-words">
        <div class="demo-head">
          <strong>
            <Said text={title} />
          </strong>
          <span class="muted">
            <Said text={message} />
          </span>
        </div>
        {done ? null : (
          <div class="progress">
            <progress max={1} value={Math.min(1, Math.max(0, progress))} aria-label="Progress of the demonstration" />
            <span>{state === 'preparing' ? 'preparing' : share(progress)}</span>
          </div>
        )}
        {incidents.map((incident) => (
          <div class="demo-incident" key={incident.start}>
            <span class="chip chip-scripted">scripted incident</span>{' '}
            <WindowName start={incident.start} end={incident.end} />:{' '}
            <Said text={incidentWords(incident.description)} />
          </div>
        ))}
      </div>
    </section>
  );
}
