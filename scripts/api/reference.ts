/** The reference of an entry, made of its types and the comments above them. */
import { type Declaration, statements } from './declarations.ts';
import type { Declarations, Entry } from './entry.ts';

export interface ReferencePage {
  readonly title: string;
  /** What can be imported: `ml-monitoring-constructs/aws`. */
  readonly entry: string;
  readonly intro: string;
  /** Names that come first, in this order. */
  readonly first: readonly string[];
}

interface Member {
  readonly name: string;
  readonly optional: boolean;
  /** Of a method its parameters and what it returns. */
  readonly type: string;
  readonly kind: 'property' | 'method' | 'static' | 'constructor';
  readonly doc: Doc;
}

interface Doc {
  readonly text: string;
  readonly fallback: string | undefined;
  readonly throws: string | undefined;
}

const GROUPS = ['Begin here', 'Choices', 'Parts', 'Other classes', 'Functions', 'Constants', 'Types'] as const;
type Group = (typeof GROUPS)[number];

export function referencePage(page: ReferencePage, { exported }: Entry, all: Declarations): string {
  const known = new Map(exported.map(({ name, declaration }) => [name, declaration]));
  const shown = new Set<Declaration>();
  // What is shown under a class is found there.
  const anchors = new Map([...known.keys()].map((name) => [name, name]));
  for (const [name, declaration] of known) {
    const props = propsOf(declaration, all);
    if (known.get(props)?.kind === 'interface') anchors.set(props, name);
  }
  const sections = new Map<Group, string[]>(GROUPS.map((group) => [group, []]));
  const rank = (name: string): number => (page.first.includes(name) ? page.first.indexOf(name) : page.first.length);
  // Classes before interfaces, so that props are shown with what takes them.
  const order = [...known].sort(
    ([a, x], [b, y]) => Number(x.kind === 'interface') - Number(y.kind === 'interface') || rank(a) - rank(b),
  );
  for (const [name, declaration] of order) {
    if (shown.has(declaration)) continue;
    shown.add(declaration);
    const section = describe(name, declaration);
    sections.get(page.first.includes(name) ? 'Begin here' : groupOf(declaration))?.push(section);
  }

  function describe(name: string, declaration: Declaration): string {
    const { text, throws } = docOf(declaration.doc);
    const head = [`### ${name}`, text, throws === undefined ? '' : `Throws ${throws}.`];
    if (declaration.kind === 'class') {
      const members = membersOf(declaration, all);
      const made = members.find(({ kind }) => kind === 'constructor');
      if (made !== undefined) {
        head.push(`\`\`\`ts\nnew ${name}${made.type}\n\`\`\``);
        const props = known.get(propsOf(declaration, all));
        if (props?.kind === 'interface') {
          shown.add(props);
          head.push(`\`${props.name}\`:${propsTable(membersOf(props, all), anchors)}`);
        }
      }
      return [...head, memberTables(members, anchors)].filter((part) => part !== '').join('\n\n');
    }
    if (declaration.kind === 'interface') {
      const members = membersOf(declaration, all);
      const filled = /(?:Props|Options)$/.test(name) || members.some(({ optional }) => optional);
      return [...head, memberTables(members, anchors, filled)].filter((part) => part !== '').join('\n\n');
    }
    return [...head, `\`\`\`ts\n${shortened(declaration.text)}\n\`\`\``].filter((part) => part !== '').join('\n\n');
  }

  const body = [...sections]
    .filter(([, parts]) => parts.length > 0)
    .map(([group, parts]) => `## ${group}\n\n${parts.join('\n\n')}`)
    .join('\n\n');
  return `# ${page.title}

${page.intro}

\`import { … } from '${page.entry}'\`. Made from the types and the comments above them by \`UPDATE_GOLDEN=1 npx vitest run test/house/api.test.ts\`; change those, not this page.

${body}
`;
}

/** Name of what the constructor of a class takes last. */
function propsOf(declaration: Declaration, all: Declarations): string {
  if (declaration.kind !== 'class') return '';
  const made = membersOf(declaration, all).find(({ kind }) => kind === 'constructor');
  return /(\w+)(?:<.*>)?\)$/.exec(made?.type ?? '')?.[1] ?? '';
}

function groupOf({ kind, text }: Declaration): Group {
  if (kind === 'interface' || kind === 'type') return 'Types';
  if (kind === 'function') return 'Functions';
  if (kind === 'const') return 'Constants';
  if (/^(?:abstract )?class \w+ extends Construct\b/.test(text)) return 'Parts';
  return /^ {4}private constructor/m.test(text) ? 'Choices' : 'Other classes';
}

/** Of a class or an interface, with those that an interface takes over from others of the package. */
function membersOf(declaration: Declaration, all: Declarations): Member[] {
  const { text, kind } = declaration;
  const body = statements(text.slice(text.indexOf('{', headEnd(text)) + 1, text.lastIndexOf('}')));
  const own = body.flatMap(({ doc, text: member }) => memberOf(member, doc) ?? []);
  if (kind !== 'interface') return own;
  const names = /^interface [\w$]+(?:<[^{]*>)? extends ([^{]+)\{/.exec(text)?.[1] ?? '';
  const bases = names.split(',').map((name) => name.trim());
  const inherited = all
    .referred(declaration)
    .filter(({ name, kind: other }) => other === 'interface' && bases.includes(name))
    .flatMap((base) => membersOf(base, all));
  return [...inherited.filter(({ name }) => !own.some((member) => member.name === name)), ...own];
}

/** Where the head of a declaration ends: type parameters may hold braces. */
function headEnd(text: string): number {
  return /^[^{]*?(?=\{\n|\{\}$)/.exec(text)?.[0].length ?? 0;
}

function memberOf(member: string, doc: string): Member | undefined {
  if (/^(?:#private|private |protected )/.test(member)) return undefined;
  const text = member.replace(/;$/, '');
  const made = /^constructor(\([\s\S]*\))$/.exec(text);
  if (made !== null)
    return { name: 'constructor', optional: false, type: flat(made[1] ?? ''), kind: 'constructor', doc: docOf(doc) };
  const parts =
    /^(static )?(?:readonly )?(?:abstract )?(get )?([\w$]+|\[[^\]]+\])(\?)?(<[\s\S]*?>(?=\())?([:(][\s\S]*)$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, fixed, , name = '', mark, generic = '', rest = ''] = parts;
  const getter = parts[2] !== undefined;
  const method = rest.startsWith('(') && !getter;
  const type = method
    ? flat(`${generic}${rest}`)
    : flat(getter ? rest.replace(/^\(\):\s*/, '') : rest.replace(/^:\s*/, ''));
  return {
    name,
    optional: mark === '?',
    type,
    kind: fixed !== undefined ? 'static' : method ? 'method' : 'property',
    doc: docOf(doc),
  };
}

function docOf(doc: string): Doc {
  const tag = (name: string): string | undefined =>
    new RegExp(`@${name}\\s+([\\s\\S]*?)(?=\\s@(?:default|throws|param|returns|example)\\b|$)`).exec(doc)?.[1]?.trim();
  const text = doc
    .replace(/(?:^|\s)@(?:default|throws|param|returns|example)\b[\s\S]*$/, '')
    .replaceAll('\n\n', '\u0000')
    .replaceAll('\n', ' ')
    .replaceAll('\u0000', '\n\n')
    .trim();
  // `CONSTANT: words`: a reader is told the words.
  const fallback = tag('default')
    ?.replace(/^[A-Z][A-Z0-9_]+: /, '')
    .replaceAll('\n', ' ');
  return { text, fallback, throws: tag('throws')?.replaceAll('\n', ' ') };
}

function propsTable(props: readonly Member[], anchors: ReadonlyMap<string, string>): string {
  const rows = props.map(({ name, optional, type, doc }) => [
    `\`${name}\``,
    typeCell(type, anchors),
    optional ? (doc.fallback ?? 'none') : '**required**',
    doc.text,
  ]);
  return table(['property', 'type', 'default', 'meaning'], rows);
}

function memberTables(members: readonly Member[], anchors: ReadonlyMap<string, string>, props = false): string {
  const properties = members.filter(({ kind }) => kind === 'property');
  const called = members.filter(({ kind }) => kind === 'method' || kind === 'static');
  const attributes = table(
    ['attribute', 'type', 'meaning'],
    properties.map(({ name, type, doc }) => [`\`${name}\``, typeCell(type, anchors), doc.text]),
  );
  const methods = table(
    ['call', 'meaning'],
    called.map(({ name, type, kind, doc }) => [
      code(`${kind === 'static' ? 'static ' : ''}${name}${type}`),
      [doc.text, doc.throws === undefined ? '' : `Throws ${doc.throws}.`].filter((part) => part !== '').join(' '),
    ]),
  );
  return [
    properties.length === 0 ? '' : (props ? propsTable(properties, anchors) : attributes).trim(),
    called.length === 0 ? '' : methods.trim(),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('\n\n', '<br>').replaceAll(/(?<!\\)\|/g, '\\|')).join(' | ')} |`;
  return `\n\n${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}`;
}

function typeCell(type: string, anchors: ReadonlyMap<string, string>): string {
  const bare = type.replace(/^readonly (\w+)\[\]$/, '$1');
  const anchor = anchors.get(bare);
  return anchor === undefined ? code(type) : `[${code(type)}](#${anchor.toLowerCase()})`;
}

const code = (text: string): string => `\`${text}\``;

/** On one line, without comments. */
const flat = (text: string): string =>
  text
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replaceAll(/import\("[^"]+"\)\./g, '')
    .trim();

/** What is longer belongs to the API report. */
const MOST_LINES = 12;

const shortened = (text: string): string => {
  const lines = indented(text).split('\n');
  return lines.length > MOST_LINES ? `${lines[0]} … }` : lines.join('\n');
};

const indented = (text: string): string =>
  text.replace(/^ +/gm, (spaces) => spaces.slice(spaces.length / 2)).replaceAll(/import\("[^"]+"\)\./g, '');
