/**
 * Reads the declaration files that the compiler emits: one file as its statements. What the compiler writes is regular (one statement after the other,
 * four spaces a level, members end in a semicolon), so brackets, quotes and comments are all that has to be followed.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly kind: 'class' | 'const' | 'function' | 'interface' | 'type';
  /** Without its comment and without `export` and `declare`. Overloads follow one another. */
  readonly text: string;
  /** What the comment says, without its stars; empty without a comment. */
  readonly doc: string;
}

/** A name of another file. */
interface Imported {
  readonly file: string;
  /** `*` is the whole file, under a name. */
  readonly name: string;
}

export interface Module {
  readonly file: string;
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Names that come from other files of the package. */
  readonly imports: ReadonlyMap<string, Imported>;
  /** Names that the file passes on or declares, in its order. */
  readonly exports: ReadonlyMap<string, Imported>;
  /** Files all of whose exports it passes on. */
  readonly all: readonly string[];
}

export interface Statement {
  readonly doc: string;
  readonly text: string;
}

const CLOSED_BY_BRACE = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|namespace|enum) /;

/** What stands between semicolons, or between braces that end a class or an interface, with the comment before it. */
export function statements(source: string): Statement[] {
  const found: Statement[] = [];
  let doc = '';
  let start = 0;
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const begun = source.slice(start, at).trim() !== '';
    const skipped = endOfQuoted(source, at);
    if (skipped > at) {
      if (source.startsWith('/*', at) && !begun) {
        if (source.startsWith('/**', at)) doc = words(source.slice(at, skipped));
        start = skipped;
      }
      at = skipped - 1;
      continue;
    }
    const char = source[at] ?? '';
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth -= 1;
    if (depth !== 0) continue;
    const text = source.slice(start, at + 1).trim();
    if (char !== ';' && !(char === '}' && CLOSED_BY_BRACE.test(text))) continue;
    if (text !== ';') found.push({ doc, text });
    doc = '';
    start = at + 1;
  }
  return found;
}

/** Behind a comment or a string that begins here; here where none does. */
function endOfQuoted(source: string, at: number): number {
  const behind = (end: string, from: number): number => {
    const found = source.indexOf(end, from);
    return found < 0 ? source.length : found + end.length;
  };
  if (source.startsWith('/*', at)) return behind('*/', at + 2);
  if (source.startsWith('//', at)) return behind('\n', at);
  const quote = source[at] ?? '';
  if (quote === '' || !`'"\``.includes(quote)) return at;
  let end = at + 1;
  while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** Lines of a comment, without its stars. */
function words(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

const DECLARED = /^(?:export )?(?:declare )?(?:abstract )?(class|const|function|interface|type) ([\w$]+)/;

export function readModule(file: string): Module {
  const declarations = new Map<string, Declaration>();
  const imports = new Map<string, Imported>();
  const exports = new Map<string, Imported>();
  const all: string[] = [];
  for (const { doc, text } of statements(readFileSync(file, 'utf8'))) {
    const from = /\bfrom ['"](\.{1,2}\/[^'"]+)\.ts['"];$/.exec(text)?.[1];
    const other = from === undefined ? undefined : resolve(dirname(file), `${from}.d.ts`);
    const listed = /^(import|export)(?: type)? \{([\s\S]*?)\}/.exec(text);
    const whole = /^(import|export)(?: type)? \*(?: as ([\w$]+))? from/.exec(text);
    const declared = DECLARED.exec(text);
    if (listed !== null) {
      const into = listed[1] === 'import' ? imports : exports;
      if (other !== undefined || listed[1] === 'export')
        for (const [original, local] of names(listed[2] ?? ''))
          into.set(local, { file: other ?? file, name: original });
    } else if (whole !== null && other !== undefined) {
      if (whole[2] === undefined) all.push(other);
      else (whole[1] === 'import' ? imports : exports).set(whole[2], { file: other, name: '*' });
    } else if (declared !== null) {
      const [, kind, name = ''] = declared;
      const bare = text.replace(/^(?:export )?(?:declare )?/, '');
      const before = declarations.get(name);
      declarations.set(name, {
        file,
        name,
        kind: kind as Declaration['kind'],
        text: before === undefined ? bare : `${before.text}\n${bare}`,
        doc: before === undefined ? doc : before.doc || doc,
      });
      if (text.startsWith('export ')) exports.set(name, { file, name });
    }
  }
  return { file, declarations, imports, exports, all };
}

/** `type A, B as C` → A under A, B under C. */
function names(list: string): [string, string][] {
  return list
    .split(',')
    .map((one) => one.trim().replace(/^type /, ''))
    .filter((one) => one !== '')
    .map((one) => {
      const [original = '', local = original] = one.split(' as ');
      return [original, local];
    });
}
