/** What engines say differently. Everything else of our statements is the same text for all of them. */

/** A field of rows that are made of columns: its name and its type, `text`, `double` or `bigint`. */
export interface Field {
  readonly name: string;
  readonly type: 'text' | 'double' | 'bigint';
}

export interface SqlDialect {
  readonly name: string;
  /** The type of text. */
  readonly text: string;
  /** Columns that are made into rows in one go; `null`: all. */
  readonly together: number | null;
  /** Characters of the longest statement; `null` where nobody says. */
  readonly longest: number | null;
  /** A quoted name. */
  quoted(name: string): string;
  /** A constant of any text. */
  literal(value: string): string;
  /** Whether a column is declared as text; known when the statement is planned. */
  isText(column: string): string;
  /** Whether a column is declared as a float, a double or a decimal. */
  isFractional(column: string): string;
  /** Whether the text has a match of the pattern. Patterns need no backslash. */
  matches(text: string, pattern: string): string;
  /** A fractional number, `value` as a double, as people write it: `1.5`. */
  fractionText(column: string, value: string): string;
  /** UTF-8 bytes of a text in hexadecimal. */
  hex(text: string): string;
  /** Milliseconds since 1970 of `text`, a time with its zone; NULL when it is none. `column`: where the text is from. */
  instant(column: string, text: string): string;
  /** The number that belongs to a text, a BIGINT; NULL when it is not listed. Quick for a thousand. */
  place(text: string, listed: ReadonlyMap<string, number>): string;
  /** One row a row of `relation` and arm: the columns `kept`, then what the arm says for each field. */
  unpivot(
    relation: string,
    kept: readonly string[],
    fields: readonly Field[],
    arms: readonly (readonly string[])[],
  ): string;
}
