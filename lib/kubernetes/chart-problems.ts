/** What is wrong with the props of a chart: all of it at once, before anything is made. */
import { z } from 'zod';
import { muteSchema, routeSchema } from '../contracts/alerting.ts';
import { isDuration } from '../contracts/duration.ts';
import { type Problem, shown } from '../contracts/problem.ts';
import { routingProblems } from '../contracts/routing-problems.ts';
import { schemaProblems } from '../contracts/schema-problems.ts';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { PARTS } from './defaults.ts';
import {
  imageProblems,
  isWebAddress,
  labelProblems,
  NAMESPACE,
  OBJECT_NAME,
  peerProblems,
  sizeProblems,
} from './object-rules.ts';
import { type SecretKey, secretProblems } from './secret-key.ts';

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** `-monitor-` and a model of 63 characters would not fit: names of ConfigMaps may be longer, those of the rest end with a word. */
const LONGEST_NAME = 40;
/** As the notifier takes them. */
const MOST_CHANNELS = 50;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i;

export function chartProblems(props: ModelMonitoringChartProps): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, got: unknown, expected: string, fix?: string): void => {
    problems.push({ code: 'chart', path, message, got: shown(got), expected, ...(fix === undefined ? {} : { fix }) });
  };
  const { name, namespace, image, monitors, channels = [], resources = {} } = props;

  if (name !== undefined && !(LABEL.test(name) && name.length <= LONGEST_NAME))
    refuse(
      'name',
      'cannot begin names of objects',
      name,
      `lower-case letters, digits and hyphens, at most ${LONGEST_NAME}`,
    );
  if (namespace !== undefined && !NAMESPACE.test(namespace))
    refuse('namespace', 'is no name of a namespace', namespace, 'lower-case letters, digits and hyphens, at most 63');
  if (image !== undefined) problems.push(...imageProblems(image));
  const named = { imagePullSecrets: props.imagePullSecrets ?? [], priorityClassName: props.priorityClassName ?? [] };
  for (const [path, given] of Object.entries(named))
    for (const one of [given].flat())
      if (!OBJECT_NAME.test(one))
        refuse(path, 'is no name of an object', one, 'lower-case letters, digits, hyphens and dots, at most 253');
  if (props.owner !== undefined && !/^[a-z0-9-]{1,63}$/.test(props.owner))
    refuse('owner', 'is no name of an owner', props.owner, 'lower-case letters, digits and hyphens, at most 63');
  problems.push(...labelProblems('serviceAccountAnnotations', props.serviceAccountAnnotations ?? {}, 'annotations'));
  problems.push(...(props.watching?.problems() ?? []), ...(props.grafana?.problems() ?? []));
  const ends = {
    clients: props.clients,
    scrapers: props.scrapers,
    dns: props.dns,
    'log.peers': props.log.peers,
    'store.peers': props.store.peers,
    ...Object.fromEntries(channels.map(({ name, peers }) => [`channels.${name}.peers`, peers])),
  };
  for (const [path, peers] of Object.entries(ends))
    if (peers !== undefined) problems.push(...peerProblems(path, peers));
  problems.push(...props.log.problems(), ...props.store.problems());
  problems.push(...(props.collectors?.problems('collectors') ?? []), ...(props.profilers?.problems('profilers') ?? []));
  if (props.collectors?.spec.kind === 'lag')
    refuse('collectors', 'cannot follow the log: they write it', 'Scaling.lag', 'Scaling.cpu or Scaling.fixed');

  const models = monitors.map(({ model }) => model);
  for (const model of new Set(models.filter((one, at) => models.indexOf(one) !== at)))
    refuse('monitors', 'has two monitors of one model', model, 'one monitor a model');
  if (props.policyKey === undefined)
    for (const { model, declared } of monitors) {
      const hashed = Object.entries(declared.features ?? {}).filter(([, { policy }]) => policy === 'hash');
      if (hashed.length > 0)
        refuse(
          'policyKey',
          `is needed by the policy hash in the monitor of ${model}`,
          hashed.map(([feature]) => feature),
          'a key of a Secret',
          `make one with \`openssl rand -hex 32\` and name it as policyKey`,
        );
    }
  const names = channels.map((channel) => channel.name);
  for (const one of new Set(names.filter((other, at) => names.indexOf(other) !== at)))
    refuse('channels', 'has two channels of one name', one, 'a name for each', 'give one of them another `name`');
  for (const one of names)
    if (!/^[a-z0-9-]{1,40}$/.test(one))
      refuse('channels', 'has a channel with a name that routes cannot take', one, '[a-z0-9-], at most 40');
  if (names.includes('inbox'))
    refuse('channels', 'has a channel with the name of that of the page', 'inbox', 'another name');
  if (channels.length > MOST_CHANNELS)
    refuse('channels', 'has too many channels', channels.length, `at most ${MOST_CHANNELS}`);
  for (const channel of channels) problems.push(...channel.problems());
  problems.push(...alertingProblems(props, names));

  if (channels.some(({ kind }) => kind === 'alertmanager')) {
    const bells = channels.filter(({ kind }) => kind !== 'alertmanager' && kind !== 'webhook').map((one) => one.name);
    if (bells.length > 0)
      refuse(
        'channels',
        'has Alertmanager, which tells people itself, and others that would tell them again',
        bells,
        'one or the other',
      );
  }

  for (const [path, reference] of secretReferences(props)) problems.push(...secretProblems(path, reference));

  for (const [part, sizes] of Object.entries(resources)) {
    if (!(PARTS as readonly string[]).includes(part))
      refuse(`resources.${part}`, 'is no part', part, `one of ${PARTS.join(', ')}`);
    problems.push(...sizeProblems(`resources.${part}`, sizes ?? {}));
  }
  for (const host of props.hostNames ?? [])
    if (!HOST_NAME.test(host))
      refuse('hostNames', 'has what is no name of a host', host, 'for example events.example.com');
  for (const [what, age] of Object.entries(props.retention ?? {}))
    if (age !== undefined && !isDuration(age))
      refuse(`retention.${what}`, 'is no duration', age, 'a whole number and a unit, e.g. 400d');
  for (const [link, url] of Object.entries(props.links ?? {}))
    if (url !== undefined && !isWebAddress(url)) refuse(`links.${link}`, 'is no address', url, 'https://…');
  return problems;
}

/** What the notifier would not begin with: routes and mutes of the wrong form, of unknown channels, at no time. */
function alertingProblems({ routes = [], mutes = [] }: ModelMonitoringChartProps, names: readonly string[]): Problem[] {
  if (names.length === 0 && routes.length + mutes.length > 0)
    return [
      {
        code: 'chart',
        path: routes.length > 0 ? 'routes' : 'mutes',
        message: 'say of nothing who hears it: there are no channels',
        expected: 'channels beside them',
      },
    ];
  const parsed = routingSchema.safeParse({ routes, mutes });
  if (!parsed.success) return schemaProblems(routingSchema, { routes, mutes }, parsed.error.issues);
  return routingProblems(parsed.data, ['inbox', ...names]);
}

const routingSchema = z.object({ routes: z.array(routeSchema).max(200), mutes: z.array(muteSchema).max(200) });

/** Every reference to a Secret, with where it stands. */
export function secretReferences(props: ModelMonitoringChartProps): (readonly [string, SecretKey])[] {
  return [
    ...(props.tokens === undefined ? [] : [['tokens', props.tokens] as const]),
    ...(props.policyKey === undefined ? [] : [['policyKey', props.policyKey] as const]),
    ...props.log.secrets.map((one) => ['log', one] as const),
    ...props.store.secrets.map((one) => ['store', one] as const),
    ...(props.channels ?? []).flatMap(({ name, secrets }) => secrets.map((one) => [`channels.${name}`, one] as const)),
  ];
}
