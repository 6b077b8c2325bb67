/** Where the dashboards go. */
import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { Problem } from '../contracts/problem.ts';
import { grafanaDashboards } from '../dashboards/grafana.ts';
import { labelProblems } from './object-rules.ts';
import type { Platform } from './platform.ts';

/** Made by its factories. */
export class Grafana {
  /** ConfigMaps for the loader that runs beside Grafana (kube-prometheus-stack and the chart of Grafana bring it). */
  static sidecar(
    options: {
      /** By which the loader finds them. @default { grafana_dashboard: '1' } */
      readonly labels?: Readonly<Record<string, string>>;
      /** Annotations, for example the folder: `{ grafana_folder: 'Models' }`. @default none */
      readonly annotations?: Readonly<Record<string, string>>;
    } = {},
  ): Grafana {
    const { labels = { grafana_dashboard: '1' }, annotations } = options;
    return new Grafana(
      (scope, platform) => {
        for (const { key, json } of grafanaDashboards()) {
          const metadata = platform.metadata(`dashboard-${key}`);
          new k8s.KubeConfigMap(scope, `Dashboard-${key}`, {
            metadata: {
              ...metadata,
              labels: { ...metadata.labels, ...labels },
              ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
            },
            data: { [`mlmon-${key}.json`]: compact(json) },
          });
        }
      },
      [
        ...labelProblems('grafana.labels', labels, 'labels'),
        ...labelProblems('grafana.annotations', annotations ?? {}, 'annotations'),
      ],
    );
  }

  /** Objects of Grafana Operator. */
  static operator(options: {
    readonly instances: Readonly<Record<string, string>>;
    readonly folder?: string;
  }): Grafana {
    return new Grafana(
      (scope, platform) => {
        for (const { key, json } of grafanaDashboards())
          new ApiObject(scope, `Dashboard-${key}`, {
            apiVersion: 'grafana.integreatly.org/v1beta1',
            kind: 'GrafanaDashboard',
            metadata: platform.metadata(`dashboard-${key}`),
            spec: {
              instanceSelector: { matchLabels: { ...options.instances } },
              allowCrossNamespaceImport: true,
              ...(options.folder === undefined ? {} : { folder: options.folder }),
              json: compact(json),
            },
          });
      },
      labelProblems('grafana.instances', options.instances, 'labels'),
    );
  }

  /** None from here: `mlmon render dashboards` writes them as files. */
  static none(): Grafana {
    return new Grafana(() => undefined);
  }

  readonly #bind: (scope: Construct, platform: Platform) => void;
  readonly #problems: readonly Problem[];

  private constructor(bind: (scope: Construct, platform: Platform) => void, problems: readonly Problem[] = []) {
    this.#bind = bind;
    this.#problems = problems;
  }

  /** @internal */
  problems(): readonly Problem[] {
    return this.#problems;
  }

  /** @internal */
  bind(scope: Construct, platform: Platform): void {
    this.#bind(scope, platform);
  }
}

/** Without spaces: a client-side apply copies the whole object into an annotation of 256 KiB. */
function compact(json: unknown): string {
  return typeof json === 'string' ? JSON.stringify(JSON.parse(json)) : JSON.stringify(json);
}
