/**
 * Channels of a platform on one machine or a cluster, with routes and mutes: the inbox always, others from a file. Secrets are files of their own, named in it,
 * so that none stands in the configuration, in the environment or in a log.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { AlertmanagerChannel } from '../adapters/alertmanager/alertmanager-channel.ts';
import { InboxChannel } from '../adapters/inbox/inbox-channel.ts';
import { OpsgenieChannel } from '../adapters/opsgenie/opsgenie-channel.ts';
import { PagerDutyChannel } from '../adapters/pagerduty/pagerduty-channel.ts';
import { SlackChannel } from '../adapters/slack/slack-channel.ts';
import { TeamsChannel } from '../adapters/teams/teams-channel.ts';
import { WebhookChannel } from '../adapters/webhook/webhook-channel.ts';
import { muteSchema, routeSchema } from '../contracts/alerting.ts';
import type { Transition } from '../contracts/episode.ts';
import { expectedBy } from '../contracts/expected.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { routingProblems } from '../contracts/routing-problems.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';
import type { AlertChannel, Clock, ObjectStore } from '../pipeline/ports.ts';
import { type Destination, destinationOf } from '../pipeline/routes.ts';

const name = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/)
  .optional();
const file = z.string().min(1);

const channelSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('slack'), name, urlFile: file }).strict(),
  z.object({ type: z.literal('teams'), name, urlFile: file }).strict(),
  z.object({ type: z.literal('opsgenie'), name, keyFile: file, url: z.string().url().optional() }).strict(),
  z.object({ type: z.literal('pagerduty'), name, routingKeyFile: file, url: z.string().url().optional() }).strict(),
  z
    .object({
      type: z.literal('webhook'),
      name,
      url: z.string().url().optional(),
      urlFile: file.optional(),
      secretFile: file.optional(),
    })
    .strict(),
  z
    .object({
      type: z.literal('alertmanager'),
      name,
      /** Every member of the cluster. */
      urls: z
        .array(z.url({ protocol: /^https?$/ }))
        .min(1)
        .max(10),
      username: z.string().min(1).optional(),
      passwordFile: file.optional(),
      tokenFile: file.optional(),
      /** PEM. */
      caFile: file.optional(),
      certificateFile: file.optional(),
      keyFile: file.optional(),
      /** Address of Grafana. */
      dashboards: z.url().optional(),
      labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()).optional(),
    })
    .strict(),
]);
type ChannelEntry = z.output<typeof channelSchema>;
type AlertmanagerEntry = Extract<ChannelEntry, { readonly type: 'alertmanager' }>;
/** Those that tell people themselves. */
const BELLS: readonly ChannelEntry['type'][] = ['slack', 'teams', 'opsgenie', 'pagerduty'];
const channelsSchema = z
  .object({
    channels: z.array(channelSchema).max(50),
    /** To the channels of every route that matches; of none: to all. */
    routes: z.array(routeSchema).max(200).default([]),
    mutes: z.array(muteSchema).max(200).default([]),
  })
  .strict();

export interface RoutedChannels {
  readonly channels: AlertChannel[];
  /** Where a transition goes; absent where the file has neither routes nor mutes: to all channels. */
  readonly destination?: (transition: Transition) => Destination;
}

/** @throws ProblemError naming every problem of the file and of the secrets it names */
export async function readChannels(path: string | undefined, store: ObjectStore): Promise<AlertChannel[]> {
  return (await readRoutedChannels(path, store, { now: () => 0 })).channels;
}

/**
 * `clock`: time of the platform, for mutes.
 * @throws ProblemError naming every problem of the file and of the secrets it names
 */
export async function readRoutedChannels(
  path: string | undefined,
  store: ObjectStore,
  clock: Clock,
): Promise<RoutedChannels> {
  const inbox = new InboxChannel(store);
  const channels: AlertChannel[] = [inbox];
  if (path === undefined) return { channels };
  const problems: Problem[] = [];
  const content = await text(path, path, problems);
  if (problems.length > 0) throw new ProblemError(problems);
  const parsed = channelsSchema.safeParse(yaml(content, path));
  if (!parsed.success)
    problems.push(
      ...parsed.error.issues.map((issue) => ({
        code: 'channel',
        path: [path, issue.path.join('.')].filter((part) => part !== '').join(': '),
        message: 'is not valid',
        expected: expectedBy(issue),
      })),
    );
  if (problems.length > 0 || !parsed.success) throw new ProblemError(problems);
  const secret = async (named: string | undefined, isAddress = false): Promise<string | undefined> => {
    if (named === undefined) return undefined;
    const before = problems.length;
    const found = (await text(resolve(dirname(path), named), `${path}: ${named}`, problems)).trim();
    const isRight = found !== '' && (!isAddress || isWebAddress(found));
    // What it holds instead may be a secret of another kind: it is not shown.
    if (!isRight && problems.length === before)
      problems.push({
        code: 'secret',
        path: `${path}: ${named}`,
        message: found === '' ? 'is empty' : 'holds no address',
        expected: isAddress ? 'an address: https://…' : 'the secret alone',
      });
    return found;
  };
  for (const entry of parsed.data.channels) {
    if (entry.type === 'slack')
      channels.push(new SlackChannel({ name: entry.name, url: (await secret(entry.urlFile, true)) ?? '' }));
    else if (entry.type === 'teams')
      channels.push(new TeamsChannel({ name: entry.name, url: (await secret(entry.urlFile, true)) ?? '' }));
    else if (entry.type === 'opsgenie')
      channels.push(
        new OpsgenieChannel({ name: entry.name, key: (await secret(entry.keyFile)) ?? '', url: entry.url }),
      );
    else if (entry.type === 'pagerduty')
      channels.push(
        new PagerDutyChannel({
          name: entry.name,
          routingKey: (await secret(entry.routingKeyFile)) ?? '',
          url: entry.url,
        }),
      );
    else if (entry.type === 'alertmanager') channels.push(await alertmanager(entry, secret));
    else {
      const url = entry.url ?? (await secret(entry.urlFile, true));
      if (url === undefined)
        problems.push({
          code: 'channel',
          path,
          message: 'a webhook has no address',
          expected: 'url, or urlFile when it holds a secret',
        });
      else channels.push(new WebhookChannel({ name: entry.name, url, secret: await secret(entry.secretFile) }));
    }
  }
  problems.push(...wrongWithAlertmanager(parsed.data.channels, path));
  const seen = new Set<string>();
  for (const channel of channels) {
    if (seen.has(channel.name))
      problems.push({
        code: 'channel',
        path,
        message: 'two channels have one name',
        got: shown(channel.name),
        fix: 'give one of them another `name`',
      });
    seen.add(channel.name);
  }
  const { routes, mutes } = parsed.data;
  problems.push(
    ...routingProblems({ routes, mutes }, [...seen]).map((one) => ({ ...one, path: `${path}: ${one.path}` })),
  );
  if (problems.length > 0) throw new ProblemError(problems);
  if (routes.length === 0 && mutes.length === 0) return { channels };
  const names = [...seen];
  return {
    channels,
    destination: (transition) => {
      const to = destinationOf(
        transition,
        { routes, mutes, notifiedBy: 'episodes' },
        { channels: names, now: clock.now() },
      );
      // The inbox keeps a record of all that is told to anybody, and of what routes tell nobody.
      return to.muted === undefined ? { channels: [...new Set([inbox.name, ...to.channels])] } : to;
    },
  };
}

async function alertmanager(
  { name: called, urls, username, dashboards, labels, ...files }: AlertmanagerEntry,
  secret: (named: string | undefined) => Promise<string | undefined>,
): Promise<AlertmanagerChannel> {
  const password = await secret(files.passwordFile);
  return new AlertmanagerChannel({
    name: called,
    urls,
    dashboards,
    labels,
    basic: username === undefined || password === undefined ? undefined : { username, password },
    token: await secret(files.tokenFile),
    ca: await secret(files.caFile),
    certificate: await secret(files.certificateFile),
    key: await secret(files.keyFile),
  });
}

/** Every condition is told once: Alertmanager tells people itself. */
function wrongWithAlertmanager(entries: readonly ChannelEntry[], path: string): Problem[] {
  const found = entries.filter((entry) => entry.type === 'alertmanager');
  const bells = entries.filter(({ type }) => BELLS.includes(type));
  const problem = (message: string, got: string, fix: string): Problem => ({
    code: 'channel',
    path,
    message,
    got,
    fix,
  });
  return [
    ...(found.length > 0 && bells.length > 0
      ? [
          problem(
            'people would be told twice, by Alertmanager and by another channel',
            bells.map(({ type }) => type).join(', '),
            'let Alertmanager tell them (`mlmon render alerts` writes its receivers), or leave it out here',
          ),
        ]
      : []),
    ...found.flatMap(({ username, passwordFile, tokenFile, certificateFile, keyFile }) => [
      ...((username === undefined) === (passwordFile === undefined)
        ? []
        : [
            problem(
              'half of a name and its password',
              shown(username ?? passwordFile),
              'username and passwordFile, or neither',
            ),
          ]),
      ...((certificateFile === undefined) === (keyFile === undefined)
        ? []
        : [
            problem(
              'half of a certificate and its key',
              shown(certificateFile ?? keyFile),
              'certificateFile and keyFile, or neither',
            ),
          ]),
      ...(tokenFile !== undefined && passwordFile !== undefined
        ? [problem('two ways to say who calls', 'tokenFile, passwordFile', 'one of them')]
        : []),
    ]),
  ];
}

function yaml(content: string, path: string): unknown {
  const document = parseDocument(content);
  if (document.errors.length === 0) return document.toJS({ maxAliasCount: 20 });
  throw new ProblemError(yamlProblems(document.errors, path));
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

async function text(path: string, called: string, problems: Problem[]): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    problems.push({
      code: 'file',
      path: called,
      message: 'cannot be read',
      got: (error as NodeJS.ErrnoException).code,
      fix: 'check the path and its permissions',
    });
    return '';
  }
}
