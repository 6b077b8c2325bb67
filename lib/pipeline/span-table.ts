/** Tables of spans of time, one or more a model, as inline SQL; and literals. The subset of SQL is that of label-query.ts. */

/** A row of a table of spans: what it is of, and the span, as SQL. */
export interface NamedSpan {
  readonly w: number;
  readonly model: string;
  readonly span: readonly string[];
}

/** A table with the columns `w`, `model` and those of the spans. Spans that several rows share stand in the text once. */
export function namedSpans(name: string, rows: readonly NamedSpan[], columns: readonly string[]): string {
  const spans = new Map<string, number>();
  const named = rows.map(({ w, model, span }) => {
    const written = span.join(', ');
    const s = spans.get(written) ?? spans.size;
    spans.set(written, s);
    return `(${w}, ${text(model)}, ${s})`;
  });
  return `${name} AS (
  SELECT n.w, n.model, ${columns.map((column) => `s.${column}`).join(', ')}
  FROM (VALUES ${named.join(', ')}) AS n (w, model, s)
  JOIN (VALUES
    ${[...spans].map(([written, s]) => `(${s}, ${written})`).join(',\n    ')}
  ) AS s (s, ${columns.join(', ')}) ON s.s = n.s
)`;
}

/** Of few models a list, by which a reader can pass over parts of a file; a join finds those of many. */
export function modelsAre(of: readonly { readonly model: string }[]): string {
  const models = [...new Set(of.map(({ model }) => model))].sort();
  return models.length > 100 ? 'model IS NOT NULL' : `model IN (${models.map(text).join(', ')})`;
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function number(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

export function time(ms: number): string {
  return `TIMESTAMP '${new Date(ms).toISOString().slice(0, 23).replace('T', ' ')}'`;
}
