/** The platform on one machine, fed with what a stream took: the same events, appended at the same times. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Baseline } from '../../../lib/contracts/baseline.ts';
import type { Monitor } from '../../../lib/contracts/monitor.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../../lib/contracts/result.ts';
import { startPlatform } from '../../../lib/local/platform.ts';
import { REPLAY_CLOCK_HEADER } from '../../../lib/local/server/request-guard.ts';
import { publishBaseline, publishMonitor } from '../../../lib/pipeline/publisher.ts';
import { statisticsBytes } from '../../../lib/pipeline/window-judge.ts';
import { eventually } from '../programs.ts';

export interface TakenRecord {
  /** When the stream took it, milliseconds since 1970. */
  readonly appendTime: number;
  /** NDJSON. */
  readonly data: string;
}

/** Results of a platform by where they lie: `<version>/<window start>/<length>`. */
export interface Judged {
  /** Statistics of the latest revision, as bytes. */
  readonly windows: ReadonlyMap<string, string>;
  /** All but provenance of the latest revision, of mature windows. */
  readonly performance: ReadonlyMap<string, string>;
}

/** @param objects every object below `results/<model>/`, by its key */
export function judged(model: string, objects: ReadonlyMap<string, string>): Judged {
  const windows = new Map<string, string>();
  const performance = new Map<string, string>();
  const revision = (key: string): number => Number(/r(\d+)\.json$/.exec(key)?.[1]);
  for (const key of [...objects.keys()].sort((a, b) => revision(a) - revision(b))) {
    const parts = key.slice(keys.results(model).length).split('/');
    const name = parts.slice(0, 3).join('/');
    const text = objects.get(key) ?? '';
    if (parts[3]?.startsWith('performance-')) {
      const { provenance, ...rest } = JSON.parse(text) as PerformanceResult;
      if (rest.mature) performance.set(name, JSON.stringify(rest));
    } else windows.set(name, statisticsBytes(JSON.parse(text) as WindowResult));
  }
  return { windows, performance };
}

/** Feeds records in order, lets the clock go on to `end`, and waits until `holds`. */
export async function onOneMachine(
  folder: string,
  given: { readonly monitor: Monitor; readonly baseline: Baseline; readonly version: string; readonly from: number },
  records: Iterable<TakenRecord> | AsyncIterable<TakenRecord>,
  end: number,
  holds: (seen: Judged) => boolean,
): Promise<Judged> {
  const { monitor, baseline, version, from } = given;
  const failures: string[] = [];
  const platform = await startPlatform({
    folder,
    port: 0,
    replayFrom: from,
    durability: 'os',
    onFailure: (what, error) => failures.push(`${what}: ${String(error)}`),
  });
  try {
    const { store, clock } = platform;
    await publishBaseline({ store, clock }, baseline, {
      model: monitor.model,
      version,
      by: 'test',
      approve: true,
      monitor,
    });
    await publishMonitor({ store, clock }, monitor, { by: 'test', effectiveFrom: from });
    // It was read when nothing was published.
    platform.registry.invalidate();
    await platform.registry.refresh();
    for await (const { appendTime, data } of records) await send(platform.url, appendTime, data);
    await send(platform.url, end, '');
    const look = async (): Promise<Judged> => {
      const objects = new Map<string, string>();
      for (let after: string | undefined; ; ) {
        const page = await store.list(keys.results(monitor.model), { after });
        for (const key of page) objects.set(key, await readFile(store.path(key), 'utf8'));
        after = page.at(-1);
        if (after === undefined) return judged(monitor.model, objects);
      }
    };
    const seen = await eventually(look, holds, 300_000);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    return seen;
  } finally {
    await platform.stop();
  }
}

/** Events of one record through the collector, which takes them at this time. */
async function send(platform: string, clock: number, ndjson: string): Promise<void> {
  const events = ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string });
  const cloudEvent = (type: 'inference' | 'label') => ({
    specversion: '1.0',
    id: `${clock}-${type}`,
    source: 'test',
    type: `ml.${type}.v1`,
    data: events.filter((event) => event.type === type),
  });
  const answer = await fetch(`${platform}/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cloudevents-batch+json',
      [REPLAY_CLOCK_HEADER]: new Date(clock).toISOString(),
    },
    body: JSON.stringify([cloudEvent('inference'), cloudEvent('label')].filter(({ data }) => data.length > 0)),
  });
  if (answer.status === 429 || answer.status === 503) {
    await new Promise((again) => setTimeout(again, 200));
    return send(platform, clock, ndjson);
  }
  if (answer.status !== 202) throw new Error(`the platform answered ${answer.status}: ${await answer.text()}`);
}

/** Reads a baseline that `mlmon profile` wrote. */
export async function readBaseline(folder: string, name = 'baseline.json'): Promise<Baseline> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as Baseline;
}
