/**
 * Publishes a folder of monitors under an owner, and again whenever it changes: what is new or changed is published, what is gone is removed from
 * the platform at the next boundary of its windows, its data stay. A folder with a mistake in it changes nothing.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Baseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { PublishedLine } from '../contracts/publication.ts';
import { type MonitorFile, readMonitorFiles } from '../local/monitor-file.ts';
import { type PublicationOutcome, publish } from '../pipeline/publication.ts';
import type { PublisherOptions } from '../pipeline/publisher.ts';
import type { Part } from '../pipeline/run.ts';

export interface MonitorFolderOptions extends PublisherOptions {
  readonly folder: string;
  readonly owner: string;
  /** Told of what was published. */
  readonly onPublished?: (outcome: PublicationOutcome) => void;
  /** Between two looks, milliseconds. @default 5000 */
  readonly everyMs?: number;
}

export class MonitorFolder {
  readonly #options: MonitorFolderOptions;
  /** What was published last, and what was seen at the last look. */
  #published: string | null = null;
  #seen: string | null = null;

  constructor(options: MonitorFolderOptions) {
    this.#options = options;
  }

  /**
   * Looks once. A change is published when it has stood since the look before, so that a folder is never taken in the middle of it.
   * @throws ProblemError with everything that is wrong in it; then nothing was published
   */
  async look(): Promise<PublicationOutcome | null> {
    const { folder, owner, onPublished } = this.#options;
    const lines = await readLines(folder);
    const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
    const stands = this.#published === null || this.#seen === digest;
    this.#seen = digest;
    if (digest === this.#published || !stands) return null;
    const outcome = await publish(this.#options, {
      owner,
      lines: async function* () {
        yield* lines;
      },
    });
    this.#published = digest;
    onPublished?.(outcome);
    return outcome;
  }

  part(): Part {
    const waitMs = this.#options.everyMs ?? 5_000;
    return {
      name: 'monitors',
      step: async () => {
        await this.look();
        return { waitMs };
      },
    };
  }
}

/** Monitors with their baselines. @throws ProblemError with the problems of all files */
export async function watchedModels(
  folder: string,
): Promise<{ readonly monitor: Monitor; readonly baseline: Baseline | null }[]> {
  const models: { readonly monitor: Monitor; readonly baseline: Baseline | null }[] = [];
  for (const file of await readMonitorFiles(folder))
    models.push({ monitor: file.monitor, baseline: await readBaseline(file) });
  return models;
}

/** As a publication takes them. */
async function readLines(folder: string): Promise<string[]> {
  return (await watchedModels(folder)).map((model) => JSON.stringify(model satisfies PublishedLine));
}

/** @throws ProblemError when it is no baseline: nothing here makes one of data */
async function readBaseline({ file, baselineFile }: MonitorFile): Promise<Baseline | null> {
  if (baselineFile === null) return null;
  let got: string;
  try {
    const content = JSON.parse(await readFile(baselineFile, 'utf8')) as Partial<Baseline> | null;
    if (content?.schema === 'mlmon.baseline/v1' && Array.isArray(content.columns)) return content as Baseline;
    got = 'other JSON';
  } catch (error) {
    got = (error as NodeJS.ErrnoException).code ?? 'no JSON';
  }
  throw new ProblemError([
    {
      code: 'not-a-baseline',
      path: `${file}: baseline.from`,
      message: `${baselineFile} is no baseline`,
      got,
      expected: 'a file made by `mlmon profile`, beside the monitor',
      fix: 'make it with `mlmon profile DATA --monitor FILE -o baseline.json`, and put it beside the monitor',
    },
  ]);
}
