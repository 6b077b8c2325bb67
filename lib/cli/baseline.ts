/** `mlmon baseline`: the life of a baseline on a running platform. */
import type { BaselineInfo, ModelAnswer } from '../contracts/api.ts';
import { noun } from '../contracts/noun.ts';
import { baselineSql } from './baseline-sql.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { type Options, readOptions, wholeNumber } from './options.ts';
import { plain } from './plain.ts';
import { decider, PLATFORM_HELP, PLATFORM_OPTIONS, PlatformClient } from './platform-client.ts';

const help = `mlmon baseline: lists, makes, approves and rolls back baselines

Usage:
  mlmon baseline list MODEL
  mlmon baseline make MODEL --from-window TIME [--to-window TIME] [--by NAME]
  mlmon baseline approve MODEL N [--version V] [--by NAME]
  mlmon baseline rollback MODEL [--version V] [--by NAME]
  mlmon baseline sql MONITOR-FILE --from-window TIME --to-window TIME --database NAME [--table NAME]

  make says "this is the new normal": it makes a baseline from the captured windows that start in the range (RFC 3339;
  the newest window when --to-window is absent). It waits for approval. Approval and rollback take effect at the next
  boundary of a window. A baseline that was learned (\`baseline.learn\`) is in force already; approving it ends the mark.
  --version defaults to the model's newest.

  sql prints the statement for Athena that gives the captured events of a deployment on AWS as reference data, one row an
  event; \`mlmon profile\` makes a baseline of its result (docs/how-to/new-baseline.md).

${PLATFORM_HELP}
`;

type Action = (model: string, options: Options, client: PlatformClient, io: CommandIo) => Promise<number>;

const list: Action = async (model, options, client, io) => {
  const { baselines } = await client.get<ModelAnswer>(`/api/models/${encodeURIComponent(model)}`);
  if (options.flag('json')) io.stdout.write(`${JSON.stringify(baselines, null, 2)}\n`);
  else if (baselines.length === 0) io.stdout.write('no baselines\n');
  else for (const one of baselines) io.stdout.write(`${line(one)}\n`);
  return EXIT.nothingFound;
};

function line({ version, n, rows, source, findings, ...one }: BaselineInfo): string {
  const remarks = findings.length === 0 ? '' : `  (${findings.join('; ')})`;
  return plain(
    `version ${version}  number ${n}  ${rows} ${noun(rows, 'row')} from ${source}  ${stateOf(one)}${remarks}`,
  );
}

function stateOf({
  approved,
  provisional,
  effectiveFrom,
}: Pick<BaselineInfo, 'approved' | 'provisional' | 'effectiveFrom'>): string {
  if (approved !== null) return `approved by ${approved.by}, in force from ${effectiveFrom}`;
  return provisional === true
    ? `learned, provisional until approved, in force from ${effectiveFrom}`
    : 'waits for approval';
}

const make: Action = async (model, options, client, io) => {
  const from = options.text('from-window');
  if (from === undefined) throw wrongUse('--from-window', 'is required', 'the start of the first window, RFC 3339');
  const answer = await client.send<BaselineInfo>('POST', `/api/models/${encodeURIComponent(model)}/baselines`, {
    from,
    to: options.text('to-window') ?? null,
    by: decider(options),
  });
  io.stdout.write(options.flag('json') ? `${JSON.stringify(answer)}\n` : `${line(answer)}\n`);
  return EXIT.nothingFound;
};

const approve: Action = async (model, options, client, io) => {
  const n = wholeNumber(options.words[2] ?? '', 'N', 1, 999_999);
  const version = options.text('version') ?? (await newestVersion(model, client));
  const answer = await client.send<BaselineInfo>(
    'POST',
    `/api/models/${encodeURIComponent(model)}/baselines/${n}/approve`,
    { version, by: decider(options) },
  );
  io.stdout.write(options.flag('json') ? `${JSON.stringify(answer)}\n` : `${line(answer)}\n`);
  return EXIT.nothingFound;
};

const rollback: Action = async (model, options, client, io) => {
  const { baselines, summary } = await client.get<ModelAnswer>(`/api/models/${encodeURIComponent(model)}`);
  const version = options.text('version') ?? summary.version ?? '1';
  const current = baselines.filter((one) => one.version === version && one.approved !== null).at(-1);
  const answer = await client.send<BaselineInfo>(
    'POST',
    `/api/models/${encodeURIComponent(model)}/baselines/${current?.n ?? 0}/rollback`,
    { version, by: decider(options) },
  );
  io.stdout.write(options.flag('json') ? `${JSON.stringify(answer)}\n` : `${line(answer)}\n`);
  return EXIT.nothingFound;
};

async function newestVersion(model: string, client: PlatformClient): Promise<string> {
  const { summary } = await client.get<ModelAnswer>(`/api/models/${encodeURIComponent(model)}`);
  return summary.version ?? '1';
}

const ACTIONS: Readonly<Record<string, Action>> = { list, make, approve, rollback };

export const command: Command = {
  name: 'baseline',
  summary: 'lists, makes, approves and rolls back baselines',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      {
        ...PLATFORM_OPTIONS,
        'from-window': { type: 'string' },
        'to-window': { type: 'string' },
        version: { type: 'string' },
        by: { type: 'string' },
        database: { type: 'string' },
        table: { type: 'string' },
      },
      { least: 2, most: 3, called: 'words: an action and a model' },
    );
    if (options.words[0] === 'sql') return baselineSql(options.words[1] ?? '', options, io);
    const action = Object.hasOwn(ACTIONS, options.words[0] ?? '') ? ACTIONS[options.words[0] ?? ''] : undefined;
    if (action === undefined)
      throw wrongUse(options.words[0] ?? '', 'is no action', `one of ${Object.keys(ACTIONS).join(', ')}, sql`);
    return PlatformClient.using(options, (client) => action(options.words[1] ?? '', options, client, io));
  },
};
