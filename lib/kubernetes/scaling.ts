/** How many containers of a part run. */
import { type Problem, shown } from '../contracts/problem.ts';

export type ScalingSpec =
  | { readonly kind: 'fixed'; readonly replicas: number }
  | { readonly kind: 'cpu'; readonly minimum: number; readonly maximum: number; readonly utilisation: number }
  | { readonly kind: 'lag'; readonly minimum: number; readonly maximum?: number; readonly lagPerReplica: number };

/** Made by its factories. */
export class Scaling {
  /** Always so many. */
  static fixed(replicas: number): Scaling {
    return new Scaling({ kind: 'fixed', replicas });
  }

  /** By their use of the processor, in percent of what they ask for (HorizontalPodAutoscaler). */
  static cpu(
    options: { readonly minimum?: number; readonly maximum?: number; readonly utilisation?: number } = {},
  ): Scaling {
    return new Scaling({
      kind: 'cpu',
      minimum: options.minimum ?? 2,
      maximum: options.maximum ?? 10,
      utilisation: options.utilisation ?? 70,
    });
  }

  /**
   * By the records that wait in the log (KEDA, which must be installed). Each step hands partitions over, so it goes up at once and down slowly.
   * `lagPerReplica` is the rate of one profiler times the time in which a backlog shall be gone. `maximum` is the number of partitions when absent.
   */
  static lag(
    options: { readonly minimum?: number; readonly maximum?: number; readonly lagPerReplica?: number } = {},
  ): Scaling {
    return new Scaling({
      kind: 'lag',
      // From none it may never wake, where a group has not committed yet.
      minimum: options.minimum ?? 1,
      ...(options.maximum === undefined ? {} : { maximum: options.maximum }),
      lagPerReplica: options.lagPerReplica ?? 100_000,
    });
  }

  readonly spec: ScalingSpec;

  private constructor(spec: ScalingSpec) {
    this.spec = spec;
  }

  /** The fewest that run. */
  get fewest(): number {
    return this.spec.kind === 'fixed' ? this.spec.replicas : this.spec.minimum;
  }

  /** @internal */
  problems(path: string): Problem[] {
    const numbers = Object.entries(this.spec).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    );
    const problems: Problem[] = numbers
      .filter(([, value]) => !(Number.isInteger(value) && value >= 1))
      .map(([name, value]) => ({
        code: 'scaling',
        path: `${path}.${name}`,
        message: 'is no number of this kind',
        got: shown(value),
        expected: 'a whole number of at least 1',
      }));
    const { spec } = this;
    if (spec.kind !== 'fixed' && spec.maximum !== undefined && spec.maximum < spec.minimum)
      problems.push({
        code: 'scaling',
        path,
        message: 'its maximum lies below its minimum',
        got: `${spec.minimum} to ${spec.maximum}`,
        expected: 'a maximum of at least the minimum',
      });
    return problems;
  }
}
