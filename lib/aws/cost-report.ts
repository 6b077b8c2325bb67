import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations, attachCustomSynthesis, type Duration, type ISynthesisSession, Stack, Token } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import { noun } from '../contracts/noun.ts';
import { formatProblem, type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { dollars, type Estimate, estimate, guardBudget } from '../cost/estimate.ts';
import type { PriceChanges } from '../cost/price-changes.ts';
import type { PriceTable } from '../cost/prices.ts';
import { type Traffic, type Usage, usage } from '../cost/usage.ts';
import { costInventory } from './cost-inventory.ts';
import { priceTable } from './environment/prices-file.ts';
import type { StreamCapacity } from './event-stream.ts';
import type { PlatformContext } from './platform-context.ts';
import type { Metrics } from './watching/metrics.ts';

/** Of the file beside the template. */
const FILE_SUFFIX = '.cost.json';

export interface CostReportProps {
  readonly platform: PlatformContext;
  /** Below which everything is counted. */
  readonly of: IConstruct;
  /** Knows the models, those of other stacks included, and what is exported of them. */
  readonly metrics: Metrics;
  /** What comes in a month. @default none: nothing is reckoned */
  readonly traffic?: Traffic;
  /** Prices that differ from the table. @default list prices of us-east-1 */
  readonly prices?: PriceChanges;
  /** USD a month that the platform may cost; synthesis fails above it. @default none */
  readonly budget?: number;
  /** Of a stream of the platform's own. @default the stream was brought, and its owner pays for it */
  readonly capacity?: StreamCapacity;
  /** How long the stream keeps records. */
  readonly streamRetention: Duration;
  /** How captured events lie. */
  readonly captureFormat: Usage['captureFormat'];
  /** How long they are kept. @default for ever */
  readonly captureRetention?: Duration;
}

/** Money a month of a platform, reckoned at synthesis: told as an annotation, written beside the template, and held against a budget. */
export class CostReport extends Construct {
  readonly #props: CostReportProps;
  readonly #prices: PriceTable;

  constructor(scope: Construct, id: string, props: CostReportProps) {
    super(scope, id);
    this.#props = props;
    const problems = trafficProblems(props);
    if (problems.length > 0) throw new ProblemError(problems);
    this.#prices = priceTable(props.prices);
    this.node.addValidation({ validate: () => this.#judge().map(formatProblem) });
    attachCustomSynthesis(this, { onSynthesize: (session) => this.#write(session) });
  }

  /** As the app stands now; `undefined` while the traffic is not known. */
  get estimate(): Estimate | undefined {
    const { traffic, metrics, of, platform, capacity, streamRetention, captureRetention, captureFormat } = this.#props;
    if (traffic === undefined || Object.values(traffic).some((value) => Token.isUnresolved(value))) return undefined;
    const { shards, maximumShards } = capacity?.provisioned ?? {};
    return estimate(
      usage({
        ...traffic,
        models: metrics.watched,
        stream: capacity === undefined ? 'brought' : shards === undefined ? 'on-demand' : 'provisioned',
        shards: shards === undefined ? null : { least: shards, most: maximumShards ?? shards },
        retentionDays: days(streamRetention),
        captureFormat,
        captureDays: days(captureRetention) ?? null,
        prometheus: metrics.workspace !== undefined,
        metricDetail: metrics.detail,
        inventory: costInventory(of, platform),
      }),
      this.#prices,
    );
  }

  #judge(): Problem[] {
    const { traffic, budget } = this.#props;
    if (budget !== undefined && traffic === undefined)
      return [
        {
          code: 'budget-without-traffic',
          path: 'budget',
          message: 'cannot be held against anything, since nothing is said of the traffic',
          expected: 'traffic with eventsPerMonth',
        },
      ];
    const found = this.estimate;
    if (found === undefined) return [];
    const dearest = [...found.parts]
      .sort((a, b) => b.usd - a.usd)
      .slice(0, 4)
      .map(({ title, usd }) => `${title} ${dollars(usd)}`);
    // Prices come for one region; in another one somebody has to say those that differ.
    const { region } = Stack.of(this);
    const elsewhere =
      Token.isUnresolved(region) || region === found.prices.region
        ? ''
        : ` (the stack is in ${region}: say the prices that differ there)`;
    Annotations.of(this).addInfo(
      `${dollars(found.total)} a month (${dollars(found.low)} to ${dollars(found.high)}) for ${found.usage.models.length} ${noun(found.usage.models.length, 'model')} and ${found.usage.eventsPerMonth.toLocaleString('en-US')} ${noun(found.usage.eventsPerMonth, 'event')}, ${found.prices.kind} of ${found.prices.region}, ${found.prices.asOf}${elsewhere}: ${dearest.join(', ')}, and more: all of it is in ${this.#file()} beside the template, which mlmon cost --from reads`,
    );
    return guardBudget(found, budget);
  }

  #write({ assembly }: ISynthesisSession): void {
    const found = this.estimate;
    if (found !== undefined) writeFileSync(join(assembly.outdir, this.#file()), `${JSON.stringify(found, null, 2)}\n`);
  }

  /** By the stack and what is reckoned, so that two of them do not write the same. */
  #file(): string {
    const stack = Stack.of(this);
    const path = this.#props.of.node.path.slice(stack.node.path.length).replaceAll('/', '-');
    return `${stack.artifactId}${path}${FILE_SUFFIX}`;
  }
}

function days(duration: Duration | undefined): number | undefined {
  return duration === undefined || duration.isUnresolved() ? undefined : duration.toDays({ integral: false });
}

function trafficProblems({ traffic, budget }: CostReportProps): Problem[] {
  const problems: Problem[] = [];
  const check = (path: string, value: number | undefined, most: number, expected: string): void => {
    if (value === undefined || Token.isUnresolved(value) || (Number.isFinite(value) && value >= 0 && value <= most))
      return;
    problems.push({ code: 'wrong-traffic', path, message: 'is not right', got: shown(value), expected });
  };
  check('traffic.eventsPerMonth', traffic?.eventsPerMonth, 1e13, 'a number of events, 0 to 1e13');
  check('traffic.eventBytes', traffic?.eventBytes, 1_048_576, 'bytes, 0 to 1048576');
  check('traffic.eventsPerRecord', traffic?.eventsPerRecord, 10_000, 'a number of events, 1 to 10000');
  check('traffic.overHttp', traffic?.overHttp, 1, 'a share, 0 to 1');
  check('traffic.grafanaEditors', traffic?.grafanaEditors, 1e6, 'a number of people');
  check('traffic.grafanaViewers', traffic?.grafanaViewers, 1e6, 'a number of people');
  check('budget', budget, 1e9, 'USD a month');
  if (traffic?.eventsPerRecord === 0)
    problems.push({ code: 'wrong-traffic', path: 'traffic.eventsPerRecord', message: 'is 0', expected: 'at least 1' });
  return problems;
}
