/** PromQL as Prometheus' own grammar reads it. Variables of Grafana are put in first, since the grammar knows none. */
import { parser } from '@prometheus-io/lezer-promql';

/** What Grafana puts in for its variables, for any dashboard here. */
export const CHOSEN: Readonly<Record<string, string>> = {
  job: '.+',
  instance: '.+',
  model: 'flight-delay',
  feature: 'distance',
  statistic: '.+',
  __rate_interval: '5m',
  __interval: '1m',
  __range: '1h',
};

/** @throws RangeError for a variable that nobody knows */
export function substituted(expr: string, chosen: Readonly<Record<string, string>> = CHOSEN): string {
  return expr.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (whole, name: string) => {
    const value = chosen[name];
    if (value === undefined) throw new RangeError(`${whole}: no such variable`);
    return value;
  });
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly string[];
  /** Names of the functions that it stands within, from the inside out. */
  readonly within: readonly string[];
}

export interface Parsed {
  /** Texts at which the grammar stumbled. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Calls of rate, irate and increase, with what stands in their brackets. */
  readonly ranges: readonly { readonly call: string; readonly range: string }[];
}

export function parsed(expr: string): Parsed {
  const errors: string[] = [];
  const selectors: Selector[] = [];
  const ranges: { call: string; range: string }[] = [];
  const calls: string[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) errors.push(`${text || 'nothing'} at ${node.from} of ${expr}`);
      if (node.name === 'FunctionCall') calls.unshift(/^\w+/.exec(text)?.[0] ?? '');
      if (node.name === 'VectorSelector')
        selectors.push({
          metric: /^[\w:]*/.exec(text)?.[0] ?? '',
          matchers: [...text.matchAll(/(\w+\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*")/g)].map(([one]) =>
            one.replace(/\s/g, ''),
          ),
          within: [...calls],
        });
      if (node.name === 'MatrixSelector')
        ranges.push({ call: calls[0] ?? '', range: /\[([^\]]*)\]/.exec(text)?.[1] ?? '' });
    },
    leave: (node) => {
      if (node.name === 'FunctionCall') calls.shift();
    },
  });
  return { errors, selectors, ranges };
}
