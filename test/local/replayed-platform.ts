/** A platform on one machine that goes by the clock of a replay, and calls of its public interface. */
import { type Platform, startPlatform } from '../../lib/local/platform.ts';

/** Listens on a free port; what fails in the background goes to `failures`. */
export function replayedPlatform(folder: string, from: number, failures: string[]): Promise<Platform> {
  return startPlatform({
    folder,
    port: 0,
    replayFrom: from,
    durability: 'os',
    onFailure: (what, error) => failures.push(`${what}: ${String(error)}`),
  });
}

/** The answer as JSON; throws unless it is one of success. */
export async function asked<T>(platform: Platform | null, path: string): Promise<T> {
  const answer = await fetch(`${platform?.url}${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Sends as if it were `clock`; `headers` stand instead of those of a producer of ours. */
export async function sent(
  platform: Platform | null,
  path: string,
  body: unknown,
  { clock, method = 'POST', headers = {} }: { clock?: number; method?: string; headers?: Record<string, string> },
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${platform?.url}${path}`, {
    method,
    headers: {
      'content-type': path === '/v1/events' ? 'application/cloudevents+json' : 'application/json',
      ...(clock === undefined ? {} : { 'mlmon-replay-clock': new Date(clock).toISOString() }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Until it holds, at most 30 s: the parts work at their own pace. */
export async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const until = Date.now() + 30_000;
  for (;;) {
    const value = await look();
    if (holds(value) || Date.now() > until) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
