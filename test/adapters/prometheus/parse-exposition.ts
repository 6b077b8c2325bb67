/** Reads the text format strictly: what it does not know is an error. Enough to check what we write. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseExposition(text: string): Series[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const series: Series[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  let family = '';
  let helped = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP (\S+) (?:[^\\\n]|\\\\|\\n)*$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) helped = help[1]!;
    else if (type !== null) {
      family = type[1]!;
      if (helped !== family) throw new Error(`${family}: no help before its type`);
      if (types.has(family)) throw new Error(`${family}: twice`);
      types.set(family, type[2]!);
    } else {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
      if (match === null) throw new Error(`not a series: ${JSON.stringify(line)}`);
      const name = match[1]!;
      const base = types.get(family) === 'histogram' ? name.replace(/_(?:bucket|sum|count)$/, '') : name;
      if (base !== family) throw new Error(`${name}: within the family ${family}`);
      const id = line.slice(0, line.lastIndexOf(' '));
      if (seen.has(id)) throw new Error(`${id}: twice`);
      seen.add(id);
      const value = match[3]!.replace('Inf', 'Infinity');
      if (value !== 'NaN' && Number.isNaN(Number(value))) throw new Error(`${id}: ${value} is no number`);
      series.push({ name, labels: parseLabels(match[2] ?? ''), value: Number(value) });
    }
  }
  return series;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/s.exec(rest);
    if (match === null) throw new Error(`not a label: ${JSON.stringify(rest)}`);
    labels[match[1]!] = match[2]!.replace(/\\(["\\n])/g, (_, character: string) =>
      character === 'n' ? '\n' : character,
    );
    rest = rest.slice(match[0].length);
  }
  return labels;
}
