/** What is wrong with the props of a chart: all of it at once, before anything is made. */
import { isDuration } from '../contracts/duration.ts';
import { type Problem, shown } from '../contracts/problem.ts';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { PARTS } from './defaults.ts';
import { DATA_KEY, OBJECT_NAME, type SecretKey } from './secret-key.ts';

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** `-monitor-` and a model of 63 characters would not fit: names of ConfigMaps may be longer, those of the rest end with a word. */
const LONGEST_NAME = 40;
const QUANTITY = /^\d+(?:\.\d+)?(?:m|[kMGTPE]i?)?$/;

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
  if (namespace !== undefined && !(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace) && namespace.length <= 63))
    refuse('namespace', 'is no name of a namespace', namespace, 'lower-case letters, digits and hyphens, at most 63');
  if (image !== undefined) {
    if (!isPinned(image))
      refuse('image', 'has no fixed version', image, 'a tag other than latest, or a digest: name@sha256:…');
  }
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
    refuse('channels', 'has two channels of one name', one, 'a name for each');
  for (const one of names)
    if (!/^[a-z0-9-]{1,40}$/.test(one))
      refuse('channels', 'has a channel with a name that routes cannot take', one, '[a-z0-9-], at most 40');

  if (channels.some(({ kind }) => kind === 'alertmanager')) {
    const bells = channels.filter(({ kind }) => kind !== 'alertmanager' && kind !== 'webhook').map((one) => one.name);
    if (bells.length > 0)
      refuse(
        'channels',
        'has Alertmanager, which tells people itself, and others that would tell them again',
        bells,
        'one or the other',
      );
    for (const { config } of channels)
      for (const url of Array.isArray(config['urls']) ? config['urls'] : [])
        if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
          refuse('channels', 'has no address of Alertmanager', url, 'http://alertmanager-operated.monitoring:9093');
  }

  for (const [path, reference] of secretReferences(props)) {
    if (!OBJECT_NAME.test(reference.secret) || reference.secret.length > 63)
      refuse(
        `${path}.secret`,
        'is no name of a Secret',
        reference.secret,
        'lower-case letters, digits, hyphens and dots, at most 63',
      );
    if (!DATA_KEY.test(reference.key))
      refuse(`${path}.key`, 'is no key of a Secret', reference.key, 'letters, digits, hyphens, underscores and dots');
  }

  for (const [part, sizes] of Object.entries(resources)) {
    if (!(PARTS as readonly string[]).includes(part))
      refuse(`resources.${part}`, 'is no part', part, `one of ${PARTS.join(', ')}`);
    for (const [kind, size] of Object.entries(sizes ?? {}))
      if (typeof size !== 'string' || !QUANTITY.test(size))
        refuse(`resources.${part}.${kind}`, 'is no quantity', size, 'for example 250m, 0.5, 512Mi, 2Gi');
  }
  for (const host of props.hostNames ?? [])
    if (!/^[a-z0-9.-]{1,253}$/i.test(host))
      refuse('hostNames', 'has what is no name of a host', host, 'for example events.example.com');
  for (const [what, age] of Object.entries(props.retention ?? {}))
    if (age !== undefined && !isDuration(age))
      refuse(`retention.${what}`, 'is no duration', age, 'a whole number and a unit, e.g. 400d');
  for (const [link, url] of Object.entries(props.links ?? {}))
    if (url !== undefined && !URL.canParse(url)) refuse(`links.${link}`, 'is no address', url, 'https://…');
  return problems;
}

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

/** A tag that is not `latest`, or a digest. */
export function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true;
  const tag = /:([A-Za-z0-9_][A-Za-z0-9._-]{0,127})$/.exec(image)?.[1];
  return tag !== undefined && tag !== 'latest' && !image.includes('@');
}
