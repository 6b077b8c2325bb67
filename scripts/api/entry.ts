/** What an entry of the package exports, and what that refers to without exporting it. */
import { dirname, resolve } from 'node:path';
import { type Declaration, type Module, readModule } from './declarations.ts';

export interface Exported {
  /** As importers know it; `keys.path` within a name that stands for a file. */
  readonly name: string;
  readonly declaration: Declaration;
}

export interface Entry {
  /** In the order of the entry's file. */
  readonly exported: readonly Exported[];
  /** By name. Types that appear in what is exported: as public as that, though nobody can import them. */
  readonly reached: readonly Declaration[];
}

/** Declaration files of one emission, each read once. */
export class Declarations {
  readonly #modules = new Map<string, Module>();

  entry(file: string): Entry {
    const exported = this.#exportsOf(file, '');
    const reached = new Set<Declaration>();
    const known = new Set(exported.map(({ declaration }) => declaration));
    const visit = (declaration: Declaration): void => {
      for (const one of this.referred(declaration)) {
        if (known.has(one) || reached.has(one)) continue;
        reached.add(one);
        visit(one);
      }
    };
    for (const one of known) visit(one);
    return {
      exported,
      reached: [...reached].sort((a, b) => compare(a.name, b.name) || compare(a.file, b.file)),
    };
  }

  /** Declarations of the package whose names stand in the text of another. */
  referred(declaration: Declaration): readonly Declaration[] {
    const module = this.#module(declaration.file);
    const text = publicText(declaration);
    const found: (Declaration | undefined)[] = [];
    for (const [, from = '', name = ''] of text.matchAll(/import\("(\.[^"]+)\.ts"\)\.([\w$]+)/g))
      found.push(this.find(resolve(dirname(declaration.file), `${from}.d.ts`), name));
    // Not the names of members, nor what is quoted.
    const bare = text.replace(/'[^'\n]*'|"[^"\n]*"/g, "''");
    for (const [, space, name = ''] of bare.matchAll(/(?<![\w$.])(?:([\w$]+)\.)?([\w$]+)/g)) {
      const whole = space === undefined ? undefined : module.imports.get(space);
      if (whole?.name === '*') found.push(this.find(whole.file, name));
      else {
        const local = space ?? name;
        const other = module.imports.get(local);
        found.push(other === undefined ? module.declarations.get(local) : this.find(other.file, other.name));
      }
    }
    return [...new Set(found.filter((one) => one !== undefined && one !== declaration))] as Declaration[];
  }

  /** The declaration that a file exports under a name, wherever it stands. */
  find(file: string, name: string): Declaration | undefined {
    const module = this.#module(file);
    const own = module.declarations.get(name);
    if (own !== undefined) return own;
    const other = module.exports.get(name) ?? module.imports.get(name);
    if (other !== undefined) return other.file === file ? undefined : this.find(other.file, other.name);
    for (const whole of module.all) {
      const found = this.find(whole, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #exportsOf(file: string, prefix: string): Exported[] {
    const { exports, all } = this.#module(file);
    const named = [...exports].flatMap(([name, target]): Exported[] => {
      if (target.name === '*') return this.#exportsOf(target.file, `${prefix}${name}.`);
      const declaration = this.find(target.file, target.name);
      if (declaration === undefined)
        throw new Error(`${file}: exports ${name}, and ${target.file} does not declare it`);
      return [{ name: `${prefix}${name}`, declaration }];
    });
    return [...named, ...all.flatMap((other) => this.#exportsOf(other, prefix))];
  }

  #module(file: string): Module {
    let module = this.#modules.get(file);
    if (module === undefined) {
      module = readModule(file);
      this.#modules.set(file, module);
    }
    return module;
  }
}

/** Without comments, and without members that nobody outside can use; two spaces a level. */
export function publicText({ text }: Declaration): string {
  return text
    .replace(/[ \t]*\/\*\*[\s\S]*?\*\/[ \t]*\n?/g, '')
    .split('\n')
    .filter((line) => !/^ {4}(?:#private|private (?!constructor))/.test(line))
    .map((line) => line.replace(/^(?: {4})+/, (spaces) => spaces.slice(spaces.length / 2)))
    .join('\n');
}

/** By code units, so that it is the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
