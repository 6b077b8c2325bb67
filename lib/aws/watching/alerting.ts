import { type Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  type Alerting as AlertingConfiguration,
  alertingSchema,
  type Mute,
  type Route,
} from '../../contracts/alerting.ts';
import type { ShownIn } from '../../contracts/dashboards.ts';
import { expectedBy } from '../../contracts/expected.ts';
import type { MaintenanceInput } from '../../contracts/maintenance.ts';
import { type Problem, ProblemError, shown } from '../../contracts/problem.ts';
import { SEVERITIES, type Severity } from '../../contracts/result.ts';
import { routingProblems } from '../../contracts/routing-problems.ts';
import { keyStatements } from '../access/statements.ts';
import { EncryptionKey } from '../encryption-key.ts';
import { FunctionSchedule } from '../function-schedule.ts';
import { DeadLetterQueue } from '../message-queue.ts';
import { MonitoringFunction } from '../monitoring-function.ts';
import type { PlatformContext } from '../platform-context.ts';
import { removalOf } from '../removal.ts';
import { AlertTopics, admitAlarms } from './alert-topics.ts';
import type { BoundChannel, IChannel } from './channel.ts';
import { maintenanceOf } from './maintenance.ts';
import { NOTIFIER_EVERY } from './watching-defaults.ts';

/** Who tells people of drift, quality and performance. Blindness and the pipeline's health are told by alarms in either case. */
export class Notifications {
  /** The notifier, once when an episode opens and once when it closes, with the features that explain it. */
  static fromEpisodes(): Notifications {
    return new Notifications('episodes');
  }

  /** CloudWatch alarms on open episodes, one for each severity; transitions of episodes are then sent to nobody. */
  static fromAlarms(): Notifications {
    return new Notifications('alarms');
  }

  readonly by: 'episodes' | 'alarms';

  private constructor(by: 'episodes' | 'alarms') {
    this.by = by;
  }
}

export interface AlertingProps {
  readonly platform: PlatformContext;
  /** Where alerts are delivered. */
  readonly channels: readonly IChannel[];
  /** Programs that get every transition, whatever is muted: no channels of routes, and nobody is told by them. @default none */
  readonly programs?: readonly IChannel[];
  /** Which channels an owner, a model, a signal or a severity goes to; of several that match, to all of theirs. @default every channel gets everything */
  readonly routes?: readonly Route[];
  /** What is recorded and shown and sent to nobody, for a time or always. @default nothing */
  readonly mutes?: readonly Mute[];
  /** Windows in which everything is recorded and nobody is told; what is still so afterwards is told then. @default none */
  readonly maintenance?: readonly MaintenanceInput[];
  /** @default Notifications.fromEpisodes() */
  readonly notifications?: Notifications;
  /** Topics of yours for alarms: they must let CloudWatch publish, and so must their keys. @default a topic for each severity */
  readonly topics?: { readonly [S in Severity]?: sns.ITopic };
  /** Gets a message while delivery works, for something outside that calls when it stops. @default none: an alarm watches the notifier */
  readonly heartbeat?: sns.ITopic;
  /** Takes runs, alarms and messages of topics that could not be handed over. @default a queue of its own */
  readonly deadLetters?: sqs.IQueue;
  /** How often transitions are delivered. @default NOTIFIER_EVERY: a minute */
  readonly every?: Duration;
  /** What links to models in messages begin with. @default they link to dashboards in Grafana, if there is one (`linkTo`) */
  readonly linkBase?: string;
  /** What addresses of runbook entries in messages begin with. @default messages name the entry alone */
  readonly runbookBase?: string;
  /** Encrypts topics. One that was made elsewhere must let CloudWatch use it. @default the key of the platform, or a key of its own for 1 $ a month: alarms cannot publish to topics under the key of SNS */
  readonly key?: kms.IKey;
}

/** Shown at synthesis when nobody hears of blindness but through our own code; acknowledge it with a reason. */
export const NO_INDEPENDENT_SUBSCRIBER = 'ml-monitoring-constructs:no-independent-subscriber';
/** Shown when there are no channels at all. */
export const NO_CHANNELS = 'ml-monitoring-constructs:no-channels';

/**
 * From a transition of an episode, or an alarm, to somebody's phone: topics by severity, the notifier on its schedule, what it could not deliver,
 * and the configuration that it reads.
 */
export class Alerting extends Construct {
  /** Where alarms are published. */
  readonly topics: Readonly<Record<Severity, sns.ITopic>>;
  readonly notifier: MonitoringFunction<'notifier'>;
  /** Of the schedule, the function and the subscriptions; watched by an alarm. */
  readonly deadLetters: sqs.IQueue;
  /** What the publication puts into the store for the notifier; ARNs in it are known when deployed. */
  get configuration(): AlertingConfiguration {
    return { ...this.#configuration, ...(this.#shownIn === undefined ? {} : { dashboardBase: this.#shownIn.base }) };
  }
  readonly notifications: Notifications;
  readonly heartbeat: sns.ITopic | undefined;
  readonly key: kms.IKey;
  readonly #alertTopics: AlertTopics;
  readonly #configuration: AlertingConfiguration;
  #shownIn: ShownIn | undefined;

  constructor(scope: Construct, id: string, props: AlertingProps) {
    super(scope, id);
    const { platform } = props;
    this.notifications = props.notifications ?? Notifications.fromEpisodes();
    this.heartbeat = props.heartbeat;
    this.key =
      props.key ??
      platform.key ??
      new EncryptionKey(this, 'Key', { removalPolicy: removalOf('topicsKey', RemovalPolicy.RETAIN) }).key;
    admitAlarms(this.key);
    this.#alertTopics = new AlertTopics(this, 'Topics', { key: this.key, topics: props.topics });
    this.topics = this.#alertTopics.topics;
    this.deadLetters = props.deadLetters ?? new DeadLetterQueue(this, 'DeadLetters', { key: platform.key }).queue;
    this.notifier = new MonitoringFunction(this, 'Notifier', {
      name: 'notifier',
      platform,
      environment: { MLMON_HEARTBEAT_TOPIC_ARN: props.heartbeat?.topicArn },
    });
    if (this.key !== platform.key)
      for (const statement of keyStatements(this.key)) this.notifier.role.addToPolicy(statement);
    if (props.heartbeat !== undefined)
      this.notifier.role.addToPolicy(
        new iam.PolicyStatement({ actions: ['sns:Publish'], resources: [props.heartbeat.topicArn] }),
      );
    new FunctionSchedule(this, 'Schedule', {
      function: this.notifier,
      every: props.every ?? NOTIFIER_EVERY,
      deadLetters: this.deadLetters,
    });
    for (const severity of SEVERITIES)
      this.topics[severity].addSubscription(
        new subscriptions.LambdaSubscription(this.notifier.function, { deadLetterQueue: this.deadLetters }),
      );
    const channels = [...props.channels, ...(props.programs ?? [])];
    const all = channelNames(channels);
    const names = all.slice(0, props.channels.length);
    const bound = channels.map((channel, i) => this.#bind(channel, all[i]!));
    this.#configuration = {
      schema: 'mlmon.alerting/v1',
      channels: bound.map(({ delivery }) => delivery),
      routes: [...(props.routes ?? [])],
      mutes: [...(props.mutes ?? [])],
      ...(props.maintenance === undefined || props.maintenance.length === 0
        ? {}
        : { maintenance: [...maintenanceOf(props.maintenance)] }),
      notifiedBy: this.notifications.by,
      linkBase: props.linkBase,
      runbookBase: props.runbookBase,
    };
    const problems = [
      ...configurationProblems(this.configuration, names),
      ...unreachable(this.configuration, platform),
    ];
    if (problems.length > 0) throw new ProblemError(problems);
    // Whoever brings topics knows who subscribes to them.
    const ownTopics = props.topics?.critical !== undefined;
    this.#warn(props.channels.length === 0, ownTopics || bound.some(({ independent }) => independent));
  }

  /** The configuration as the publication takes it. */
  get json(): string {
    return Stack.of(this).toJsonString(this.configuration);
  }

  /** Where dashboards show what alerts are about; `undefined` without a Grafana. */
  get shownIn(): ShownIn | undefined {
    return this.#shownIn;
  }

  /** Alerts link there from now on: a Grafana is made after what it shows, which tells of itself by these alerts. */
  linkTo(shownIn: ShownIn): void {
    this.#shownIn = shownIn;
  }

  /** Lets the alert manager of a workspace publish to the topics. */
  admitPrometheus(workspaceArn: string): void {
    this.#alertTopics.admitPrometheus(workspaceArn);
  }

  #bind(channel: IChannel, name: string): BoundChannel {
    // An id made of the name and not of the place among the others: adding one must not replace its neighbours.
    return channel.bind(new Construct(this, `Channel-${name}`), {
      name,
      notifier: this.notifier,
      alarmTopics: this.topics,
      deadLetters: this.deadLetters,
      newTopic: (scope, id) => this.#alertTopics.newTopic(scope, id),
    });
  }

  #warn(silent: boolean, independent: boolean): void {
    if (silent)
      Validations.of(this).addWarning(
        NO_CHANNELS,
        'channels: there is none, so nobody is told of anything; add one, e.g. Channel.email(…), or acknowledge this',
      );
    if (!independent)
      Validations.of(this).addWarning(
        NO_INDEPENDENT_SUBSCRIBER,
        'channels: all of them are delivered by the notifier, so nobody hears when the notifier itself fails; add Channel.email, Channel.slackChannel, Channel.https or Channel.sqs, bring topics of your own, or acknowledge this',
      );
  }
}

/** A name for each: its own, or its kind, numbered from the second on. */
export function channelNames(channels: readonly IChannel[]): readonly string[] {
  const taken = new Set(channels.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return channels.map(({ name, kind }) => {
    if (name !== undefined) return name;
    let free = kind;
    for (let n = 2; taken.has(free); n++) free = `${kind}-${n}`;
    taken.add(free);
    return free;
  });
}

function configurationProblems(configuration: AlertingConfiguration, names: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  for (const [i, name] of names.entries())
    if (names.indexOf(name) !== i)
      problems.push({
        code: 'channel-twice',
        path: `channels.${i}.name`,
        message: 'another channel has this name',
        got: shown(name),
        fix: 'give each a name of its own',
      });
  const mutes = configuration.mutes.map(({ from, until, ...mute }) => ({
    ...mute,
    from: known(from),
    until: known(until),
  }));
  problems.push(...routingProblems({ routes: configuration.routes, mutes }, names));
  // What is known only when deployed cannot be checked here; everything else by the schema that the notifier reads with.
  const parsed = alertingSchema.safeParse(withoutTokens(configuration));
  if (!parsed.success)
    for (const issue of parsed.error.issues)
      problems.push({
        code: 'alerting',
        path: issue.path.map(String).join('.'),
        message: 'is not valid',
        expected: expectedBy(issue),
      });
  return problems;
}

/** Without what is known only when deployed. */
function known(text: string | undefined): string | undefined {
  return Token.isUnresolved(text) ? undefined : text;
}

/** Receivers on the internet, of functions in a network without a way out. */
function unreachable({ channels }: AlertingConfiguration, { network }: PlatformContext): Problem[] {
  if (network === undefined || network.internet) return [];
  return channels
    .filter((delivery) => 'secretArn' in delivery)
    .map(({ name, type }) => ({
      code: 'no-way-out',
      path: `channels: ${name}`,
      message: 'is delivered by a function that has no way to the internet',
      got: type,
      expected:
        'what SNS or SQS delivers: Channel.email, Channel.https, Channel.slackChannel, Channel.sqs, Channel.custom',
      fix: 'take one of these, or Network.withInternet',
    }));
}

/** The same with every token replaced by something of its kind. */
function withoutTokens(value: unknown, key = ''): unknown {
  if (typeof value === 'string' && Token.isUnresolved(value))
    return /[Uu]rl|Base$/.test(key) ? 'https://token' : 'arn:token';
  if (Array.isArray(value)) return value.map((one) => withoutTokens(one, key));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutTokens(one, name)]));
  return value;
}
