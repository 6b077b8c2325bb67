/** A transition as tests of channels need it, and a listener to send it to. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Episode, Transition } from '../../lib/contracts/episode.ts';

export function transitionOf(more: Partial<Transition> = {}, episode: Partial<Episode> = {}): Transition {
  return {
    key: 'e1/opened/1',
    kind: 'opened',
    at: '2001-03-02T01:00:00.000Z',
    runbook: 'https://example.org/runbook#drift',
    link: 'https://example.org/#/models/m',
    context: [],
    episode: {
      id: 'e1',
      model: 'm',
      version: '1',
      signal: 'drift',
      severity: 'warning',
      owner: 'team',
      opened: '2001-03-02T00:00:00.000Z',
      closed: null,
      since: '2001-03-01T00:00:00.000Z',
      length: '1d',
      features: [
        {
          name: 'distance',
          aspect: 'location',
          effect: 0.7,
          summary: 'mean up by 0.7',
          since: '2001-03-01T00:00:00.000Z',
        },
      ],
      summary: 'distance: mean up by 0.7',
      provisional: false,
      ...episode,
    },
    ...more,
  };
}

export const closing = (): Transition =>
  transitionOf({ kind: 'closed', key: 'e1/closed/1' }, { closed: '2001-03-05T00:00:00.000Z' });

/** Text that would mean something to a receiver, were it not escaped. */
export const NASTY =
  '<!channel> <@U1> [click](https://evil.example) **bold** _it_ `code` ~x~ <at>all</at> & | # \u{1f600} \ud800 "quoted" {{ .x }}\n- list\n1. more';

export interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Listener {
  readonly got: Got[];
  readonly url: string;
  close(): void;
}

/** Answers with these in turn, the last one again and again; `null` never answers. */
export async function listen(...answers: (Answer | null)[]): Promise<Listener> {
  const got: Got[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body });
      const answer = answers[Math.min(got.length, answers.length) - 1];
      if (answer !== null && answer !== undefined)
        response.writeHead(answer.status, answer.headers).end(answer.body ?? 'ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    got,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
