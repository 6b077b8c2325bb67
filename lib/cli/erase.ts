/** `mlmon erase`: takes predictions out of a platform by their ids, and says what that reaches. */
import { join, resolve } from 'node:path';
import { durationMs, durationText, isDuration } from '../contracts/duration.ts';
import { ERASURE_LIMITS, ERASURE_REMEMBERED, type ErasureReport, type ErasureRequest } from '../contracts/erasure.ts';
import { noun } from '../contracts/noun.ts';
import { ProblemError } from '../contracts/problem.ts';
import { isStoreAddress } from '../local/deployed-store.ts';
import type { ErasureInput } from '../pipeline/eraser.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { readInput } from './input-file.ts';
import { type Options, readOptions } from './options.ts';
import { plain } from './plain.ts';
import { decider, PLATFORM_HELP, PLATFORM_OPTIONS, PlatformClient } from './platform-client.ts';

const help = `mlmon erase: takes predictions out of a platform by their ids, and says what that reaches

Usage:
  mlmon erase --model M --ids FILE [--remember ${ERASURE_REMEMBERED}] [--dry-run] [--by NAME]
  mlmon erase --model M --id ID [--id ID …]
  mlmon erase --again
  mlmon erase --list

  Events and labels with these ids are taken out of the capture, of what was redriven, quarantined or given up, and of old
  versions of all of these; everything else stays as it is. A request is remembered, by marks of the ids and never by the ids,
  so that records which land later are erased too: by the platform itself where it runs outside AWS, on AWS by running
  --again from time to time. What cannot be reached is listed with every answer.

  --ids FILE       one id a line, in UTF-8; - reads standard input. An id on the command line is kept by shells
  --remember D     how long records can still land: longer than the log and what failed are kept; default ${ERASURE_REMEMBERED}
  --dry-run        says what would be erased, and changes nothing
  --again          looks for what landed since, of all requests that are remembered; on a bucket or a folder it also takes
                   out what \`retention.events\` of monitors keeps no longer
  --list           the requests that are remembered
  --data DIR       the data folder of a platform on this machine, running or not, instead of --platform
${PLATFORM_HELP}

Exit codes: 0 everything that can be reached is erased, 1 something could not be read or written, 2 wrong use, 3 a failure.
`;

/** A walk over a whole capture takes its time. */
const ROUND_MS = 3_600_000;

/** Whoever erases: this process, or a platform that runs. */
interface Erasing {
  erase(input: ErasureInput): Promise<ErasureReport>;
  /** `retained`: events that went by `retention.events`, by model. */
  again(): Promise<{ readonly report: ErasureReport | null; readonly retained?: Readonly<Record<string, number>> }>;
  remembered(): Promise<readonly ErasureRequest[]>;
}

export const command: Command = {
  name: 'erase',
  summary: 'erases predictions by their ids, wherever single events lie',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      ...PLATFORM_OPTIONS,
      model: { type: 'string' },
      id: { type: 'string', multiple: true },
      ids: { type: 'string' },
      data: { type: 'string' },
      remember: { type: 'string' },
      again: { type: 'boolean' },
      list: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      by: { type: 'string' },
    });
    const asked = ['again', 'list'].filter((name) => options.flag(name));
    const named = ['model', 'id', 'ids'].filter((name) => options.list(name).length > 0);
    if (asked.length > 1 || (asked.length === 1 && named.length > 0))
      throw wrongUse(`--${asked[0]}`, 'stands alone', 'leave out the other one, --model, --id and --ids');
    const input = asked.length > 0 ? null : await inputOf(options, io);
    return using(options, io, async (erasing) => {
      if (options.flag('list')) return list(await erasing.remembered(), options, io);
      if (input !== null) return tell(await erasing.erase(input), {}, options, io);
      const { report, retained = {} } = await erasing.again();
      return tell(report, retained, options, io);
    });
  },
};

async function inputOf(options: Options, io: CommandIo): Promise<ErasureInput> {
  const model = options.text('model');
  if (model === undefined) throw wrongUse('--model', 'is missing', 'ids are those of one model');
  const file = options.text('ids');
  const listed = file === undefined ? [] : idsOf(await readInput(io, '--ids', file), file);
  const ids = [...options.list('id'), ...listed];
  if (ids.length === 0) throw wrongUse('--ids', 'names no id', 'one a line; or --id ID');
  const remember = options.text('remember') ?? ERASURE_REMEMBERED;
  if (!isDuration(remember)) throw wrongUse('--remember', 'is not a duration', 'a whole number and a unit: 30d');
  return { model, ids, by: decider(options), rememberMs: durationMs(remember), dryRun: options.flag('dry-run') };
}

/** Most lines of which it is told what is wrong. */
const MOST_TOLD = 5;

/**
 * One a line. What is hardly meant is refused, since an id that is not the one of the event erases nothing, and looks as if it had; and it is not
 * repeated, since terminals are recorded.
 */
function idsOf(text: string, file: string): string[] {
  const lines = text.split(/\r?\n/).map((line, i) => ({ line, at: i + 1 }));
  const ids = lines.filter(({ line }) => line.trim() !== '');
  const wrong = ids.filter(({ line }) => line !== line.trim() || /\p{Cc}/u.test(line));
  if (wrong.length === 0) return ids.map(({ line }) => line);
  throw new ProblemError(
    wrong.slice(0, MOST_TOLD).map(({ at }) => ({
      code: 'id',
      path: `--ids ${file}: line ${at}`,
      message: `holds white space around the id, or a control character${wrong.length > MOST_TOLD ? `, as ${wrong.length} lines do` : ''}`,
      expected: 'one id a line, and nothing else',
      fix: 'take it away; where it is part of the id, name that by --id',
    })),
  );
}

async function using<T>(options: Options, io: CommandIo, work: (erasing: Erasing) => Promise<T>): Promise<T> {
  const folder = options.text('data');
  const platform = options.text('platform');
  if (folder !== undefined && platform !== undefined)
    throw wrongUse('--data', 'and --platform name two platforms', 'leave out one of them');
  if (folder === undefined && (platform === undefined || !isStoreAddress(platform)))
    return PlatformClient.using(options, (client) => work(overHttp(client)));
  const [{ openEraser }, opened] = await Promise.all([
    import('../local/open-eraser.ts'),
    folder === undefined ? deployed(platform ?? '') : local(resolve(io.cwd, folder)),
  ]);
  const own = openEraser(opened);
  try {
    const { eraser } = own;
    return await work({
      erase: (input) => eraser.erase(input),
      again: async () => ({ report: await eraser.again(), retained: await own.retain() }),
      remembered: () => eraser.remembered(),
    });
  } finally {
    await own.close();
  }
}

async function deployed(address: string) {
  return (await import('../local/deployed-store.ts')).openVersionedStore(address);
}

async function local(folder: string) {
  const [{ FolderStore }, { stat }] = await Promise.all([
    import('../adapters/disk/folder-store.ts'),
    import('node:fs/promises'),
  ]);
  const store = join(folder, 'store');
  if ((await stat(store).catch(() => null))?.isDirectory() !== true)
    throw wrongUse(folder, 'is no data folder of a platform', 'name the folder that `mlmon serve --data` was given');
  return { store: await FolderStore.open({ folder: store }), versions: null };
}

function overHttp(client: PlatformClient): Erasing {
  const timeout = { timeoutMs: ROUND_MS };
  return {
    erase: ({ model, ids, by, rememberMs, dryRun }) =>
      client.send('POST', '/api/erasures', { model, ids, by, remember: durationText(rememberMs), dryRun }, timeout),
    again: () => client.send<{ report: ErasureReport | null }>('POST', '/api/erasures/again', {}, timeout),
    remembered: async () => (await client.get<{ requests: ErasureRequest[] }>('/api/erasures')).requests,
  };
}

function list(requests: readonly ErasureRequest[], options: Options, io: CommandIo): number {
  if (options.flag('json')) io.stdout.write(`${JSON.stringify(requests, null, 2)}\n`);
  else if (requests.length === 0) io.stdout.write('nothing is remembered\n');
  else
    for (const { model, marks, by, at, until } of requests)
      io.stdout.write(
        `${plain(`${model}  ${marks.length} ${noun(marks.length, 'id')}  asked ${at} by ${by}  remembered until ${until}`)}\n`,
      );
  return EXIT.nothingFound;
}

function tell(
  report: ErasureReport | null,
  retained: Readonly<Record<string, number>>,
  options: Options,
  io: CommandIo,
): number {
  const events = Object.entries(retained).map(
    ([model, gone]) =>
      `${model}: ${gone} ${noun(gone, 'event')} taken out, older older than retention.events of its monitor`,
  );
  if (options.flag('json')) io.stdout.write(`${JSON.stringify({ report, retained }, null, 2)}\n`);
  else io.stdout.write(`${[...wordsOf(report), ...events].map(plain).join('\n')}\n`);
  return report === null || report.problems.length === 0 ? EXIT.nothingFound : EXIT.found;
}

function wordsOf(report: ErasureReport | null): string[] {
  if (report === null) return ['nothing is remembered: there is nothing to look for'];
  const { model, ids, dryRun, reached, problems, versions, remembered, until } = report;
  const verb = dryRun ? 'would be taken out' : 'taken out';
  return [
    `${ids} ${noun(ids, 'id')}${model === null ? ' of all requests' : ` of ${model}`}${dryRun ? ', dry run: nothing is changed' : ''}`,
    ...reached.map(
      ({ prefix, examined, changed, erased }) =>
        `  ${prefix.padEnd(18)} ${examined} ${noun(examined, 'object')} read, ${changed} ${dryRun ? 'to change' : 'changed'}, ${erased} ${noun(erased, 'event')} ${verb}`,
    ),
    versions ? '  old versions are among them' : '  this store keeps no old versions',
    ...(problems.length === 0 ? [] : ['not done, may still hold some of it:', ...problems.map((one) => `  ${one}`)]),
    'not reached by any request:',
    ...ERASURE_LIMITS.map(({ where, because }) => `  ${where}: ${because}`),
    remembered === 0
      ? 'nothing is remembered'
      : `${remembered} ${noun(remembered, 'request')} remembered until ${until}: what lands until then is erased when the platform looks, on AWS by \`mlmon erase --again\``,
  ];
}
