/** `mlmon alert`: tests channels, lists, acknowledges and silences. */
import type { AlertsAnswer } from '../contracts/api.ts';
import { isDuration } from '../contracts/duration.ts';
import { SIGNALS } from '../contracts/result.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { type Options, readOptions } from './options.ts';
import { plain } from './plain.ts';
import { decider, PLATFORM_HELP, PLATFORM_OPTIONS, PlatformClient } from './platform-client.ts';

const help = `mlmon alert: tests channels, lists, acknowledges and silences alerts

Usage:
  mlmon alert list [--model M] [--state open|closed]
  mlmon alert acknowledge ID [--note TEXT] [--by NAME]
  mlmon alert silence --model M --for 4h --reason TEXT [--signal S] [--by NAME]
  mlmon alert test

  test sends a test through every channel of the platform and says what each answered; on AWS its notifier does so in
  its next round, which takes a minute or so.
  list ends with exit code 1 when an alert is open.

${PLATFORM_HELP}
`;

type Action = (options: Options, client: PlatformClient, io: CommandIo) => Promise<number>;

const list: Action = async (options, client, io) => {
  const query = new URLSearchParams();
  for (const name of ['model', 'state'] as const) {
    const value = options.text(name);
    if (value !== undefined) query.set(name, value);
  }
  const answer = await client.get<AlertsAnswer>(`/api/alerts?${query}`);
  if (options.flag('json')) io.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (answer.alerts.length === 0) io.stdout.write('no alerts\n');
  else
    for (const alert of answer.alerts) {
      const marks = [
        alert.acknowledged === null ? '' : `acknowledged by ${alert.acknowledged.by}`,
        alert.silenced ? 'silenced' : '',
        alert.corrected ? 'taken back' : '',
      ]
        .filter((mark) => mark !== '')
        .join(', ');
      io.stdout.write(
        plain(
          `${alert.id}  ${alert.state.padEnd(6)}  ${alert.severity.padEnd(8)}  ${alert.model} ${alert.version}  ${alert.signal}  since ${alert.since}${alert.closed === null ? '' : ` until ${alert.closed}`}${marks === '' ? '' : `  (${marks})`}`,
        ),
      );
      io.stdout.write(`\n    ${plain(alert.summary)}\n`);
    }
  return answer.alerts.some(({ state }) => state === 'open') ? EXIT.found : EXIT.nothingFound;
};

const acknowledge: Action = async (options, client, io) => {
  const id = options.words[1];
  if (id === undefined) throw wrongUse('ID', 'is missing', '`mlmon alert list` shows the ids');
  const answer = await client.send('POST', `/api/alerts/${encodeURIComponent(id)}/acknowledge`, {
    by: decider(options),
    note: options.text('note') ?? '',
  });
  io.stdout.write(options.flag('json') ? `${JSON.stringify(answer)}\n` : `${id} acknowledged\n`);
  return EXIT.nothingFound;
};

const silence: Action = async (options, client, io) => {
  const [model, duration, reason] = ['model', 'for', 'reason'].map((name) => options.text(name));
  if (model === undefined || duration === undefined || reason === undefined)
    throw wrongUse(
      'alert silence',
      'needs --model, --for and --reason',
      'e.g. --model churn --for 4h --reason "back-fill is running"',
    );
  if (!isDuration(duration)) throw wrongUse('--for', `is not a duration: ${duration}`, 'e.g. 30m, 4h, 2d');
  const answer = await client.send('POST', '/api/silences', {
    model,
    signal: options.text('signal') ?? null,
    for: duration,
    reason,
    by: decider(options),
  });
  io.stdout.write(options.flag('json') ? `${JSON.stringify(answer)}\n` : `${model} silenced for ${duration}\n`);
  return EXIT.nothingFound;
};

const test: Action = async (options, client, io) => {
  const answer = await client.send<{ channels: readonly { channel: string; error: string | null }[] }>(
    'POST',
    '/api/alerts/test',
  );
  if (options.flag('json')) io.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else for (const { channel, error } of answer.channels) io.stdout.write(`${channel}: ${error ?? 'delivered'}\n`);
  return answer.channels.every(({ error }) => error === null) ? EXIT.nothingFound : EXIT.found;
};

const ACTIONS: Readonly<Record<string, Action>> = { list, acknowledge, silence, test };

export const command: Command = {
  name: 'alert',
  summary: 'tests channels, lists, acknowledges and silences alerts',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      {
        ...PLATFORM_OPTIONS,
        model: { type: 'string' },
        state: { type: 'string', values: ['open', 'closed'] },
        signal: { type: 'string', values: SIGNALS },
        note: { type: 'string' },
        by: { type: 'string' },
        for: { type: 'string' },
        reason: { type: 'string' },
      },
      { least: 1, most: 2, called: 'action' },
    );
    const action = Object.hasOwn(ACTIONS, options.words[0] ?? '') ? ACTIONS[options.words[0] ?? ''] : undefined;
    if (action === undefined)
      throw wrongUse(options.words[0] ?? '', 'is no action', `one of ${Object.keys(ACTIONS).join(', ')}`);
    return PlatformClient.using(options, (client) => action(options, client, io));
  },
};
