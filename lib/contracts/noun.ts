/** A noun as it follows its number in texts for people: `0 rows`, `1 row`, `2 rows`, `1 entry`, `2 entries`. */
export function noun(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
