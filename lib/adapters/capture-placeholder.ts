/** `{capture}` in the SQL of the query port. */

/** Text, names and comments are passed over, so that data which looks like the placeholder stays data. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\{capture\}/g;

/** The SQL with a relation, in parentheses, in place of `{capture}`. */
export function withCapture(sql: string, relation: string): string {
  return sql.replace(TOKENS, (token) => (token === '{capture}' ? relation : token));
}
