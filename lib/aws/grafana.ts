import { type Problem, ProblemError } from '../contracts/problem.ts';

/**
 * Who shows graphs of features. A choice that everybody must make: a managed workspace needs an identity provider and costs by the seat. What the
 * choice stands for is made by the release that can make it; until then it is refused, not ignored.
 */
export class Grafana {
  /** Nobody: CloudWatch dashboards show the platform and a few metrics of each model. */
  static none(): Grafana {
    return new Grafana();
  }

  /** A workspace of Amazon Managed Grafana. @throws ProblemError: this release cannot make it yet */
  static managed(_options: Readonly<Record<string, unknown>> = {}): Grafana {
    throw new ProblemError([
      notYet(
        'grafana: Grafana.managed',
        'a workspace is made by CloudFormation, but its data source and dashboards only by its own API, which this release does not call yet',
      ),
    ]);
  }

  /** A Grafana of yours. @throws ProblemError: this release cannot fill it yet */
  static existing(_options: Readonly<Record<string, unknown>> = {}): Grafana {
    throw new ProblemError([
      notYet(
        'grafana: Grafana.existing',
        'its data source and dashboards are made by its API, which this release does not call yet',
      ),
    ]);
  }

  private constructor() {}
}

function notYet(path: string, message: string): Problem {
  return {
    code: 'not-yet',
    path,
    message,
    expected: 'Grafana.none()',
    fix: 'add the workspace of Managed Prometheus to your Grafana as a data source by hand; metrics are named in docs/reference/metrics.md',
  };
}
