/** Choices of options that together cover every pair of values of every two options (greedy, seeded). */
export type Assignment = Readonly<Record<string, number>>;

/** @param sizes option → how many values it has besides the default, which is 0 */
export function coveringPairs(sizes: Readonly<Record<string, number>>): Assignment[] {
  const names = Object.keys(sizes);
  const open = new Set<string>();
  const pair = (a: string, i: number, b: string, j: number): string =>
    a < b ? `${a}=${i},${b}=${j}` : `${b}=${j},${a}=${i}`;
  for (const [n, a] of names.entries())
    for (const b of names.slice(n + 1))
      for (let i = 0; i <= sizes[a]!; i++) for (let j = 0; j <= sizes[b]!; j++) open.add(pair(a, i, b, j));
  const rows: Assignment[] = [];
  while (open.size > 0) {
    const [first = ''] = open;
    const row: Record<string, number> = Object.fromEntries(
      first.split(',').map((part) => [part.split('=')[0] ?? '', Number(part.split('=')[1])]),
    );
    for (const name of names) {
      if (row[name] !== undefined) continue;
      let best = 0;
      let most = -1;
      for (let value = 0; value <= sizes[name]!; value++) {
        const covered = Object.entries(row).filter(([other, chosen]) =>
          open.has(pair(name, value, other, chosen)),
        ).length;
        if (covered > most) [best, most] = [value, covered];
      }
      row[name] = best;
    }
    for (const [n, a] of names.entries()) for (const b of names.slice(n + 1)) open.delete(pair(a, row[a]!, b, row[b]!));
    rows.push(row);
  }
  return rows;
}
