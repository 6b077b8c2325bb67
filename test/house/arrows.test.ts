/** The arrows of the architecture: who may import whom. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  stats: [],
  contracts: [],
  engine: ['stats', 'contracts'],
  pipeline: ['engine', 'contracts'],
  adapters: ['contracts'],
  producer: ['pipeline', 'engine', 'contracts'],
  alerts: ['contracts'],
  dashboards: ['alerts', 'contracts'],
  cost: ['contracts'],
  testing: ['contracts', 'alerts', 'aws'],
  aws: ['alerts', 'dashboards', 'cost', 'contracts'],
  kubernetes: ['alerts', 'dashboards', 'cost', 'contracts'],
  sidecar: ['pipeline', 'engine', 'producer', 'adapters', 'contracts'],
  local: ['stats', 'contracts', 'engine', 'pipeline', 'adapters', 'alerts', 'dashboards', 'cost'],
  roles: ['stats', 'contracts', 'engine', 'pipeline', 'adapters', 'alerts', 'dashboards', 'sidecar', 'local'],
  cli: ['stats', 'contracts', 'engine', 'pipeline', 'adapters', 'alerts', 'dashboards', 'cost', 'local', 'roles'],
};
/** Adapters know the pipeline by its ports alone. */
const FILES: Readonly<Record<string, readonly string[]>> = { adapters: ['lib/pipeline/ports.ts'] };
/** The schema library is the only package that contracts may use. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = { contracts: ['zod'] };

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sources(path);
    return /\.tsx?$/.test(path) ? [path] : [];
  });
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

function imports(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

const files = sources(join(root, 'lib')).map((file) => ({ file, path: relative(root, file).replaceAll('\\', '/') }));

describe('arrows between the folders of lib', () => {
  it('finds sources', () => {
    expect(files.length).toBeGreaterThan(30);
  });

  it('has a rule for every folder', () => {
    const folders = new Set(files.map(({ path }) => path.split('/')[1]));
    expect([...folders].filter((folder) => folder !== undefined && !(folder in ALLOWED))).toEqual([]);
  });

  it('imports only along the arrows', () => {
    const wrong: string[] = [];
    for (const { file, path } of files) {
      const room = path.split('/')[1] ?? '';
      for (const specifier of imports(file)) {
        if (specifier.startsWith('.')) {
          const target = relative(root, resolve(dirname(file), specifier)).replaceAll('\\', '/');
          const other = target.startsWith('lib/') ? target.split('/')[1] : target;
          if (other === room || FILES[room]?.includes(target) || ALLOWED[room]?.includes(other ?? '')) continue;
          wrong.push(`${path} → ${target}`);
        } else if (PACKAGES[room] !== undefined && !PACKAGES[room].includes(specifier))
          wrong.push(`${path} → ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has no circular imports', () => {
    const graph = new Map(
      files.map(({ file }) => [
        file,
        imports(file)
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => resolve(dirname(file), specifier)),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      const at = trail.indexOf(file);
      if (at >= 0) {
        circles.push([...trail.slice(at), file].map((one) => relative(root, one)).join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) if (graph.has(next)) visit(next, [...trail, file]);
      done.add(file);
    };
    for (const { file } of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});

describe('files', () => {
  it('are short: at most 400 lines without comments and blank lines', () => {
    const long = files
      .map(({ file, path }) => ({
        path,
        lines: readFileSync(file, 'utf8')
          .replace(/\/\*[\s\S]*?\*\//g, '')
          .split('\n')
          .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length,
      }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  it('have no drawer for everything', () => {
    expect(
      files.filter(({ path }) => /\/(?:utils|common|helpers)(?:\.ts|\/)/.test(path)).map(({ path }) => path),
    ).toEqual([]);
  });
});
