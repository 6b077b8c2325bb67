/** A monitor inferred from data, as commented YAML: what an owner edits instead of writing from nothing. */
import { numberFacts, timeRange, topCategories, valueSteps } from '../adapters/duckdb/summaries.ts';
import { numberSql, type Table, type TableColumn, textSql, timeSql } from '../adapters/duckdb/table.ts';
import { MODEL_PATTERN } from '../contracts/event.ts';
import { METRICS, type Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { nearest, type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { chooseColumns, isIdentifierNumber, isIdentifierText } from './table-columns.ts';

export interface InferRequest {
  readonly table: Table;
  readonly model: string;
  /** Columns that the user names; what is not named is guessed from names and types. */
  readonly named: Readonly<Partial<Record<keyof Monitor['columns'], string>>>;
  /** What `baseline.from` says: a path that the monitor's reader finds. */
  readonly baselineFrom: string;
}

export interface InferredMonitor {
  readonly yaml: string;
  /** What was guessed or left out, for the user to check. */
  readonly findings: readonly Problem[];
}

const GUESSES: Readonly<Record<keyof Monitor['columns'], RegExp>> = {
  id: /^(?:(?:event|request|prediction|row|transaction|inference)[ _-]?)?(?:id|uuid|guid)$/i,
  time: /^(?:(?:event|request|created|prediction)[ _-]?)?(?:time|timestamp|date|datetime|ts|at)$/i,
  prediction: /^(?:y_?)?(?:pred|prediction|predicted|predicted_(?:class|label|value)|y_?hat)$/i,
  score: /^(?:score|probability|proba|prob|confidence|y_?(?:score|proba|prob))$/i,
  truth: /^(?:truth|label|target|actual|ground_?truth|y|y_?true|outcome|class)$/i,
  latency: /^latency(?:_?ms)?$/i,
  weight: /^(?:sample_?)?weight$/i,
  version: /^(?:model_?)?version$/i,
};
const POSITIVE = ['1', 'true', 'yes', 'y', 'positive', 'pos', 'fraud', 'churn', 'churned', 'late', 'default', 'bad'];
/** More classes than this are not classes. */
const MOST_CLASSES = 100;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The default of `window.minimumRows`. */
const ROWS_A_WINDOW = 200;
/** Under this nothing can be told from chance. */
const FEWEST_ROWS = 20;

/** @throws ProblemError for a model name that cannot be, data without rows, and columns that are named and not there */
export async function inferMonitor(request: InferRequest): Promise<InferredMonitor> {
  const { table } = request;
  check(request);
  const guessed = guess(request);
  const columns: Monitor['columns'] = { ...guessed, ...request.named };
  const findings: Problem[] = [];
  for (const [role, name] of Object.entries(guessed))
    if (!(role in request.named)) findings.push(guessedColumn(role, name));
  const find = (name: string | undefined): TableColumn | null =>
    name === undefined ? null : (table.column(name) ?? null);
  const task = await taskOf(table, find(columns.truth), find(columns.prediction), find(columns.score));
  const { features, identifiers } = await featuresOf(table, columns, findings);
  const [identifier] = identifiers;
  if (columns.id === undefined && identifier !== undefined && identifiers.length === 1) {
    columns.id = identifier;
    findings.push(guessedColumn('id', identifier));
  }
  const window = await windowOf(table, find(columns.time));
  const positive =
    task === 'binary-classification'
      ? await positiveOf(table, find(columns.truth) ?? find(columns.prediction), find(columns.score))
      : null;
  return { yaml: yamlOf({ request, columns, task, features, window, positive }), findings };
}

function guessedColumn(role: string, name: string): Problem {
  return {
    code: 'guessed',
    path: `columns.${role}`,
    message: `guessed to be ${JSON.stringify(name)}`,
    fix: 'change or remove it if that is wrong',
  };
}

function check({ table, model, named }: InferRequest): void {
  const problems: Problem[] = [];
  if (!MODEL_PATTERN.test(model))
    problems.push({
      code: 'wrong-value',
      path: '--model',
      message: 'is not a model name',
      got: shown(model),
      expected: 'lower-case letters, digits and inner hyphens, at most 63',
    });
  if (table.rows === 0)
    problems.push({
      code: 'no-rows',
      path: table.shown,
      message: 'has no rows',
      expected: 'reference data with at least one row',
    });
  const names = table.columns.map(({ name }) => name);
  for (const [role, name] of Object.entries(named)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    problems.push({
      code: 'no-such-column',
      path: `--${role}`,
      message: `there is no column ${JSON.stringify(name)} in ${table.shown}`,
      expected: `one of ${names.join(', ')}`,
      fix: near === undefined ? undefined : `did you mean ${near}?`,
    });
  }
  if (problems.length > 0) throw new ProblemError(problems);
}

function guess({ table, named }: InferRequest): Partial<Record<keyof Monitor['columns'], string>> {
  const taken = new Set(Object.values(named));
  const found: Partial<Record<keyof Monitor['columns'], string>> = {};
  for (const [role, pattern] of Object.entries(GUESSES) as [keyof Monitor['columns'], RegExp][]) {
    if (role in named) continue;
    const fits = table.columns.filter(({ name, kind }) => {
      if (taken.has(name) || !pattern.test(name)) return false;
      if (role === 'score' || role === 'latency' || role === 'weight') return kind === 'numeric';
      return role === 'time' ? kind !== 'other' : kind !== 'time' && kind !== 'other';
    });
    const times = role === 'time' ? table.columns.filter(({ kind, name }) => kind === 'time' && !taken.has(name)) : [];
    const column = fits[0] ?? (times.length === 1 ? times[0] : undefined);
    if (column === undefined) continue;
    taken.add(column.name);
    found[role] = column.name;
  }
  return found;
}

async function taskOf(
  table: Table,
  truth: TableColumn | null,
  prediction: TableColumn | null,
  score: TableColumn | null,
): Promise<Monitor['task']> {
  const column = truth ?? prediction;
  if (column === null) return 'none';
  if (/^(?:FLOAT|DOUBLE|DECIMAL)/.test(column.sqlType)) {
    const [facts] = await numberFacts(table, [column]);
    if (facts?.integer !== true) return 'regression';
  }
  const { distinct } = await topCategories(table, column, 1);
  if (distinct <= 2 && (score !== null || distinct === 2)) return 'binary-classification';
  if (column.kind === 'numeric' && distinct > MOST_CLASSES) return 'regression';
  return distinct <= MOST_CLASSES ? 'multiclass-classification' : 'none';
}

/** The class with a usual name, else the one whose rows have the higher scores. */
async function positiveOf(table: Table, column: TableColumn | null, score: TableColumn | null): Promise<string | null> {
  if (column === null) return null;
  const { top } = await topCategories(table, column, 2);
  const usual = top.find(([value]) => POSITIVE.includes(value.toLowerCase()));
  if (usual !== undefined || score === null || top.length < 2) return usual?.[0] ?? null;
  const x = numberSql(score);
  const [first, second] = await table.db.rows(
    `SELECT ${textSql(column)} AS v, avg(${x}) AS m FROM ${table.relation} WHERE ${textSql(column)} IS NOT NULL AND isfinite(${x}) GROUP BY 1 ORDER BY m DESC, v`,
  );
  return first === undefined || second === undefined || Number(first['m']) === Number(second['m'])
    ? null
    : String(first['v']);
}

interface Feature {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly note: string;
}

async function featuresOf(
  table: Table,
  columns: Monitor['columns'],
  findings: Problem[],
): Promise<{ readonly features: Feature[]; readonly identifiers: string[] }> {
  const identifiers: string[] = [];
  const chosen = chooseColumns(table, { columns, task: 'none' });
  findings.push(...chosen.findings);
  const watched = chosen.watched.filter(({ role }) => role === 'feature');
  const numbers = watched.filter(({ type }) => type === 'numeric');
  const facts = await numberFacts(
    table,
    numbers.map(({ source }) => source),
  );
  const features: Feature[] = [];
  for (const { source, name, type } of watched) {
    const fact = facts[numbers.findIndex((number) => number.name === name)];
    let note: string;
    let identifier: boolean;
    if (type === 'numeric' && fact !== undefined) {
      const count = table.rows - fact.missing - fact.nonFinite;
      const { distinct } = await valueSteps(table, source, count, { parts: 1, ranks: [], few: 0 });
      identifier = isIdentifierNumber(name, fact, distinct, count);
      note = count === 0 ? 'no value' : `${fact.min} to ${fact.max}`;
    } else {
      const { distinct, missing } = await topCategories(table, source, 1);
      identifier = isIdentifierText(distinct, table.rows - missing);
      note = `${distinct} ${noun(distinct, 'category', 'categories')}`;
    }
    if (identifier) {
      identifiers.push(name);
      findings.push({ code: 'left-out', path: name, message: 'is no feature: it looks like an identifier' });
    } else features.push({ name, type, note });
  }
  if (features.length === 0)
    throw new ProblemError([
      ...findings,
      {
        code: 'no-columns',
        path: table.shown,
        message: 'has no column to watch',
        expected: 'at least one number, text or boolean column',
      },
    ]);
  return { features, identifiers };
}

/** A day; an hour where the reference has few days and enough rows an hour; a week where a day has next to none. */
async function windowOf(table: Table, column: TableColumn | null): Promise<Parts['window']> {
  const range = column === null ? null : await timeRange(table, await timeSql(table, column));
  if (range === null) return { every: '1d', rows: null, note: 'rows of a day are judged together' };
  const span = Math.max(1, range.to - range.from);
  const perHour = (table.rows * HOUR) / span;
  const days = span / DAY;
  if (days < 14 && perHour >= ROWS_A_WINDOW)
    return { every: '1h', rows: perHour, note: `about ${Math.round(perHour)} rows each in the reference` };
  if (perHour * 24 < FEWEST_ROWS && perHour * 168 >= FEWEST_ROWS)
    return { every: '7d', rows: perHour * 168, note: `about ${Math.round(perHour * 168)} rows each in the reference` };
  return {
    every: '1d',
    rows: perHour * 24,
    note: `about ${Math.round(perHour * 24)} ${noun(Math.round(perHour * 24), 'row')} each in the reference`,
  };
}

interface Parts {
  readonly request: InferRequest;
  readonly columns: Monitor['columns'];
  readonly task: Monitor['task'];
  readonly features: readonly Feature[];
  /** `rows`: how many a window of the reference holds. */
  readonly window: { readonly every: string; readonly rows: number | null; readonly note: string };
  readonly positive: string | null;
}

function yamlOf({ request, columns, task, features, window, positive }: Parts): string {
  const roles = Object.entries(columns).map(([role, name]) => `${role}: ${scalar(String(name))}`);
  const metric = METRICS[task][0];
  // Half of what a window usually holds, where that is less than the default: else no window would ever be judged.
  const least = window.rows === null ? ROWS_A_WINDOW : Math.max(FEWEST_ROWS, Math.round(window.rows / 2));
  const minimumRows = least < ROWS_A_WINDOW ? `, minimumRows: ${least}` : '';
  const lines = [
    '# What to watch on this model. Checked with `mlmon validate`; all keys: docs/reference/monitor.md',
    `model: ${request.model}`,
    'owner: unowned                  # routes the alerts',
    `task: ${task}`,
  ];
  if (task === 'binary-classification')
    lines.push(
      positive === null
        ? "# positive: '1'                 # the class that the score is the probability of"
        : `positive: ${scalar(positive)}                   # the class that the score is the probability of`,
    );
  lines.push(
    '',
    '# Which column of a data file is what. Events name these things themselves.',
    `columns: {${roles.length === 0 ? '' : ` ${roles.join(', ')} `}}`,
    '',
    '# What windows are compared with: data as it should be, or a file made from it by `mlmon profile`.',
    `baseline: { from: ${scalar(request.baselineFrom)} }`,
    '',
    '# policy: keep, hash, bucket or drop, before anything is stored.',
    'features:',
    ...features.map(({ name, type, note }) => `  ${scalar(name)}: { type: ${type}, policy: keep }   # ${note}`),
    '',
    `window: { every: ${window.every}, timezone: UTC, lateness: 1h, revise: 7d${minimumRows} }   # ${window.note}`,
    '',
    '# Openings of episodes that you accept when nothing has changed.',
    'budget: 1 per 30d',
    'drift: { smallestEffect: tiny }   # tiny, small, medium, large: what is worth waking for',
  );
  if (task !== 'none')
    lines.push(
      '',
      '# How long labels are waited for, and the share that must arrive.',
      'truth: { horizon: 48h, minimumCoverage: 0.5 }',
      `# performance: { floor: { ${metric}: ${task === 'regression' ? '10' : '0.7'} } }   # alert beyond this, whatever the baseline says`,
    );
  return `${lines.join('\n')}\n`;
}

/** Text as YAML reads it back: plain where that is safe, else quoted as JSON. */
function scalar(text: string): string {
  const reserved = /^(?:true|false|yes|no|on|off|null|y|n|~)$/i.test(text);
  return /^[A-Za-z_][\w./-]*$/.test(text) && !reserved ? text : JSON.stringify(text);
}
