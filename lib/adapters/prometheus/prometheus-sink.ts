/**
 * Metrics in this process, scraped at `/metrics`. Series of one model are capped: beyond the cap they are left out and counted
 * in `mlmon_series_capped_total`, so that a model with very many features cannot take Prometheus down.
 * A histogram is given as the cumulative series of the text format: `…_bucket` with `le`, `…_sum`, `…_count`.
 */
import { METRIC, type MetricDefinition } from '../../contracts/metric-names.ts';
import type { MetricSink, Sample } from '../../pipeline/ports.ts';
import { familyText, labelText } from './exposition.ts';

export interface PrometheusSinkOptions {
  /** Series of one model. @default 5000 */
  readonly seriesPerModel?: number;
  /** @default the whole catalogue */
  readonly definitions?: readonly MetricDefinition[];
}

interface Family {
  readonly definition: MetricDefinition;
  /** By series text. */
  readonly series: Map<string, { value: number; readonly model: string; readonly order: number }>;
}

const HISTOGRAM_PART = /_(?:bucket|sum|count)$/;

export class PrometheusSink implements MetricSink {
  readonly #cap: number;
  readonly #families = new Map<string, Family>();
  readonly #seriesOf = new Map<string, number>();
  readonly #capped = new Set<string>();

  constructor(options: PrometheusSinkOptions = {}) {
    this.#cap = options.seriesPerModel ?? 5_000;
    for (const definition of options.definitions ?? Object.values(METRIC))
      this.#families.set(definition.name, { definition, series: new Map() });
  }

  async set(samples: readonly Sample[]): Promise<void> {
    for (const sample of samples) this.#write(sample, false);
  }

  async add(samples: readonly Sample[]): Promise<void> {
    for (const sample of samples) this.#write(sample, true);
  }

  async forget(model: string): Promise<void> {
    for (const { series } of this.#families.values())
      for (const [key, entry] of series) if (entry.model === model) series.delete(key);
    this.#seriesOf.delete(model);
    for (const key of this.#capped) if (key.startsWith(`${model}\n`)) this.#capped.delete(key);
  }

  /** Removes the series of a model in these families that are not among `kept`: a feature that is no longer judged. */
  retain(model: string, names: readonly string[], kept: readonly Sample[]): void {
    const keep = new Set(kept.map((sample) => this.#key(sample)));
    for (const name of names) {
      const series = this.#families.get(name)?.series;
      if (series === undefined) continue;
      for (const [key, entry] of series) {
        if (entry.model !== model || keep.has(key)) continue;
        series.delete(key);
        this.#seriesOf.set(model, (this.#seriesOf.get(model) ?? 1) - 1);
      }
    }
  }

  /** The exposition: families by name, each with its series in a stable order. Families without a series are left out. */
  render(): string {
    let text = '';
    for (const name of [...this.#families.keys()].sort()) {
      const family = this.#families.get(name)!;
      if (family.series.size === 0) continue;
      const rows = [...family.series].sort(([a, x], [b, y]) =>
        family.definition.type === 'histogram' ? x.order - y.order : a < b ? -1 : a > b ? 1 : 0,
      );
      text += familyText(
        family.definition,
        rows.map(([key, entry]) => [key, entry.value] as const),
      );
    }
    return text;
  }

  #family(name: string): Family {
    const family = this.#families.get(name) ?? this.#families.get(name.replace(HISTOGRAM_PART, ''));
    if (family === undefined)
      throw new Error(`${name}: not in the catalogue of metrics; add it to contracts/metric-names.ts`);
    return family;
  }

  #key({ name, labels }: Sample): string {
    const { definition } = this.#family(name);
    const names = definition.type === 'histogram' ? [...definition.labels, 'le'] : definition.labels;
    return `${name}${labelText(names, labels)}`;
  }

  #write(sample: Sample, add: boolean): void {
    const { series } = this.#family(sample.name);
    const key = this.#key(sample);
    const entry = series.get(key);
    if (entry !== undefined) {
      entry.value = add ? entry.value + sample.value : sample.value;
      return;
    }
    const model = sample.labels['model'] ?? '';
    if (model !== '' && sample.name !== METRIC.seriesCapped.name) {
      const count = this.#seriesOf.get(model) ?? 0;
      if (count >= this.#cap) {
        this.#cappedOne(model, key);
        return;
      }
      this.#seriesOf.set(model, count + 1);
    }
    series.set(key, { value: sample.value, model, order: series.size });
  }

  /** Each series is counted once, however often it is set. */
  #cappedOne(model: string, key: string): void {
    const id = `${model}\n${key}`;
    if (this.#capped.has(id) || this.#capped.size >= 100_000) return;
    this.#capped.add(id);
    this.#write({ name: METRIC.seriesCapped.name, labels: { model }, value: 1 }, true);
  }
}
