/** Assertions on templates with a platform in them. Each throws with what was found, where, and what would be right. */
import { Stack, Stage } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { RULES } from '../alerts/rules.ts';
import type { ModelMonitor } from '../aws/model-monitor.ts';
import type { ModelMonitoring } from '../aws/model-monitoring.ts';
import type { Alerting } from '../aws/watching/alerting.ts';
import { CLOUDWATCH_NAMESPACE } from '../contracts/cloudwatch-metrics.ts';
import { nearest, ProblemError, shown } from '../contracts/problem.ts';
import { SEVERITIES, type Severity } from '../contracts/result.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

type Resources = Readonly<Record<string, Resource>>;

interface Alarm {
  readonly id: string;
  readonly key: string;
  readonly threshold: unknown;
  /** Topics, as JSON of what the template says. */
  readonly actions: readonly string[];
}

/** Who hears of a severity. */
export interface Receivers {
  /** Protocols of the subscriptions, and `lambda` for the notifier. */
  readonly protocols: readonly string[];
  /** Alarms that publish there. */
  readonly alarms: readonly string[];
}

/**
 * A synthesised stack as its tests see it.
 * @example
 * const template = MonitoredTemplate.of(stack);
 * template.monitors('churn');
 * template.maySend(stack.serviceRole, 'churn');
 * template.alarmsHaveReceivers();
 */
export class MonitoredTemplate {
  /** Synthesises the app of the stack. */
  static of(stack: Stack): MonitoredTemplate {
    const stage = Stage.of(stack);
    if (stage === undefined)
      throw problem('stack', 'is in no App', undefined, 'a stack in an App', 'new Stack(new App(), …)');
    const assembly = stage.synth();
    const resourcesOf = (one: Stack): Resources =>
      (assembly.getStackArtifact(one.artifactId).template as { readonly Resources?: Resources }).Resources ?? {};
    const beside = stage.node
      .findAll()
      .filter((one): one is Stack => Stack.isStack(one) && one.nestedStackParent === undefined)
      .filter((one) => Stage.of(one) === stage)
      .map((one) => ({ stack: one, resources: resourcesOf(one) }));
    return new MonitoredTemplate(stack, resourcesOf(stack), beside);
  }

  readonly #scope: IConstruct;
  readonly #resources: Resources;
  /** All stacks of the stage, this one among them. */
  readonly #stacks: readonly { readonly stack: Stack; readonly resources: Resources }[];

  private constructor(
    scope: IConstruct,
    resources: Resources,
    stacks: readonly { readonly stack: Stack; readonly resources: Resources }[],
  ) {
    this.#scope = scope;
    this.#resources = resources;
    this.#stacks = stacks;
  }

  /** The models that this app publishes monitors of, on platforms of its own or of another app. */
  get models(): readonly string[] {
    const all = this.#scope.node.root.node.findAll();
    const ofPlatforms = all.filter(isPlatform).flatMap(({ models }) => [...models]);
    return [...new Set([...ofPlatforms, ...all.filter(isModelMonitor).map(({ monitor }) => monitor.model)])].sort();
  }

  /**
   * A `ModelMonitoring` or a `ModelMonitor` of this app has a monitor of the model.
   * @throws ProblemError with the nearest model that has one
   */
  monitors(model: string): void {
    const { models } = this;
    if (models.includes(model)) return;
    const near = nearest(model, models);
    throw problem(
      model,
      'has no monitor',
      models.length === 0 ? 'no model at all' : models.join(', '),
      'a monitor of this model',
      near === undefined ? 'add it to `models`, or a ModelMonitor' : `did you mean ${near}?`,
    );
  }

  /**
   * A sender was granted events (or labels) of the model, by any stack of the app.
   * @param sender a role, or the ARN, subject or id of a key that was granted
   * @throws ProblemError telling what it may send
   */
  maySend(sender: iam.IRole | string, model: string, kind: 'events' | 'labels' = 'events'): void {
    const granted = new Set<string>();
    for (const { stack, resources } of this.#stacks) {
      // A role is bound from the stack that it stands in; ids of resources mean others elsewhere.
      if (typeof sender !== 'string' && Stack.of(sender) !== stack) continue;
      const principal = inText(stack.resolve(typeof sender === 'string' ? sender : sender.roleArn));
      for (const { Properties } of Object.values(resources)) {
        const bindings = Properties?.['Bindings'];
        if (bindings === undefined) continue;
        const rights = (JSON.parse(inText(bindings)) as Readonly<Record<string, Rights | undefined>>)[principal];
        for (const one of rights?.[kind] ?? []) granted.add(one);
      }
    }
    if (granted.has(model) || granted.has('*')) return;
    throw problem(
      typeof sender === 'string' ? sender : sender.node.path,
      `may not send ${kind} of ${model}`,
      granted.size === 0 ? 'no grant' : [...granted].sort().join(', '),
      `${kind} of this model`,
      `grants.${kind === 'events' ? 'capture' : 'label'}(role, '${model}')`,
    );
  }

  /** Who hears of alarms of a severity. */
  receivers(severity: Severity): Receivers {
    const alarms = this.#alarms().filter((alarm) => this.#severityOf(alarm) === severity);
    const topics = new Set(alarms.flatMap(({ actions }) => actions));
    const protocols = this.#of('AWS::SNS::Subscription')
      .filter(([, { TopicArn }]) => topics.has(JSON.stringify(TopicArn)))
      .map(([, { Protocol }]) => String(Protocol));
    const chat = this.#of('AWS::Chatbot::SlackChannelConfiguration').some(([, { SnsTopicArns }]) =>
      ((SnsTopicArns ?? []) as unknown[]).some((topic) => topics.has(JSON.stringify(topic))),
    );
    return {
      protocols: [...new Set([...protocols, ...(chat ? ['chat'] : [])])].sort(),
      alarms: alarms.map(({ id }) => id),
    };
  }

  /**
   * Alarms with actions reach somebody, and those of severity `critical` reach somebody without any function of the platform's own. Topics that were
   * brought are taken to have subscribers.
   * @throws ProblemError naming the alarms that reach nobody
   */
  alarmsHaveReceivers(): void {
    const alarms = this.#alarms().filter(({ actions }) => actions.length > 0);
    if (alarms.length === 0)
      throw problem(
        'alarms',
        'none has an action',
        undefined,
        'alarms of a ModelMonitoring',
        'synthesise the stack that holds it',
      );
    const own = new Set(this.#of('AWS::SNS::Topic').map(([id]) => JSON.stringify({ Ref: id })));
    for (const severity of SEVERITIES) {
      const ringing = alarms.filter((alarm) => this.#severityOf(alarm) === severity);
      const named = ringing.map(({ id }) => id);
      const brought = ringing.some(({ actions }) => actions.some((topic) => !own.has(topic)));
      if (ringing.length === 0 || brought) continue;
      const { protocols } = this.receivers(severity);
      if (protocols.length === 0)
        throw problem(
          `alarms of severity ${severity}`,
          'reach nobody',
          named.join(', '),
          'a subscriber',
          'add a channel',
        );
      if (severity === 'critical' && protocols.every((protocol) => protocol === 'lambda'))
        throw problem(
          'alarms of severity critical',
          'are heard by the notifier alone, which may be what fails',
          named.join(', '),
          'e-mail, chat, HTTPS or a queue beside it',
          'add Channel.email, Channel.slackChannel, Channel.https or Channel.sqs',
        );
    }
  }

  /**
   * The alarm of the catalogue is there, with this threshold where one is given.
   * @param key as in `alerts` of the props: `no-events`
   */
  hasAlarm(key: string, expected: { readonly threshold?: number } = {}): void {
    const known = RULES.map((rule) => rule.key as string);
    if (!known.includes(key)) {
      const near = nearest(key, known);
      throw problem(
        key,
        'no alert has this key',
        undefined,
        `one of ${known.join(', ')}`,
        near === undefined ? undefined : `did you mean ${near}?`,
      );
    }
    const found = this.#alarms().filter((alarm) => alarm.key === key);
    if (found.length === 0)
      throw problem(key, 'has no alarm', undefined, 'an alarm', 'see `alarms.absent`, and `alerts` of the props');
    for (const { threshold, id } of found)
      if (expected.threshold !== undefined && threshold !== expected.threshold)
        throw problem(`${key} (${id})`, 'has another threshold', shown(threshold), shown(expected.threshold));
  }

  /** That of the topic it publishes to, which a change of its severity moves; else that of the catalogue. */
  #severityOf({ key, actions }: Alarm): Severity | undefined {
    const stack = Stack.of(this.#scope);
    for (const alerting of stack.node.findAll().filter(isAlerting))
      for (const severity of SEVERITIES)
        if (actions.includes(JSON.stringify(stack.resolve(alerting.topics[severity].topicArn)))) return severity;
    return RULES.find((rule) => rule.key === key)?.severity;
  }

  #of(type: string): [string, Readonly<Record<string, unknown>>][] {
    return Object.entries(this.#resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [id, Properties ?? {}]);
  }

  /** Alarms of the catalogue: their description ends in the address of a runbook entry, which ends in the key. */
  #alarms(): Alarm[] {
    return this.#of('AWS::CloudWatch::Alarm').flatMap(([id, properties]) => {
      const key = /#([a-z-]+)"?$/.exec(text(properties['AlarmDescription']))?.[1];
      const ours = properties['Namespace'] === CLOUDWATCH_NAMESPACE || RULES.some((rule) => rule.key === key);
      if (key === undefined || !ours) return [];
      const actions = ((properties['AlarmActions'] ?? []) as unknown[]).map((action) => JSON.stringify(action));
      return [{ id, key, threshold: properties['Threshold'], actions }];
    });
  }
}

/**
 * By what it has, not by its class: where tests are CommonJS, this entry and that of the constructs are loaded as files of their own, each with
 * classes of its own.
 */
function isPlatform(one: IConstruct): one is ModelMonitoring {
  const { models, alerting } = one as Partial<ModelMonitoring>;
  return models instanceof Set && alerting !== undefined && isAlerting(alerting);
}

function isModelMonitor(one: IConstruct): one is ModelMonitor {
  const { monitor, publication } = one as Partial<ModelMonitor>;
  return typeof monitor?.model === 'string' && publication !== undefined;
}

function isAlerting(one: IConstruct): one is Alerting {
  const { topics, notifier, configuration } = one as Partial<Alerting>;
  return topics !== undefined && notifier !== undefined && configuration !== undefined;
}

interface Rights {
  readonly events: readonly string[];
  readonly labels: readonly string[];
}

/** Text with what is known when deployed in between, the same for the same values. */
function inText(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts = (value as { readonly 'Fn::Join'?: readonly [string, readonly unknown[]] })['Fn::Join'];
  if (parts !== undefined) return parts[1].map(inText).join(parts[0]);
  // Stands within quotes of JSON.
  return JSON.stringify(value).replaceAll('"', "'");
}

/** A description is text, or text joined with something known when deployed. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '').replace(/["\]}]+$/, '');
}

function problem(path: string, message: string, got: string | undefined, expected: string, fix?: string): ProblemError {
  return new ProblemError([{ code: 'not-monitored', path, message, got, expected, fix }]);
}
