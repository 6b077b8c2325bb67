/**
 * Writes container/package.json and its lock file: what an image installs beside the package. Versions and checksums are those of the
 * checkout's own lock file, so that an image holds what the tests ran with.
 *
 *   node --import tsx scripts/container-lock.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [member: string]: unknown;
}
type Versions = Readonly<Record<string, string>>;

/** Optional peers of the package that roles need. */
const PEERS = ['@aws-sdk/client-s3', '@platformatic/kafka'] as const;
/** Why a package is in the checkout says nothing of why it is in the image. */
const REASONS = ['dev', 'devOptional', 'optional', 'peer'];

export function containerFiles(): { readonly manifest: string; readonly lock: string } {
  const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
  const own = read<{ dependencies: Versions; devDependencies: Versions; optionalDependencies: Versions }>(
    'package.json',
  );
  const { packages } = read<{ packages: Readonly<Record<string, Locked>> }>('package-lock.json');
  const wanted = ['@duckdb/node-api', ...PEERS];
  const tested = { ...own.devDependencies, ...own.optionalDependencies };
  const dependencies = sorted({
    ...own.dependencies,
    ...Object.fromEntries(wanted.map((name) => [name, tested[name] ?? ''])),
  });
  const manifest = { name: 'mlmon-container', private: true, dependencies };

  /** Path → whether all works without it. */
  const found = new Map<string, boolean>();
  const visit = (from: string, name: string, isOptional: boolean): void => {
    const path = placeOf(packages, from, name);
    if (path === null) {
      if (isOptional) return;
      throw new Error(`${from} → ${name}: is not in package-lock.json; run npm install`);
    }
    const known = found.get(path);
    if (known === false || known === isOptional) return;
    found.set(path, isOptional);
    const locked = packages[path] as Locked;
    for (const one of Object.keys(locked.dependencies ?? {})) visit(path, one, isOptional);
    for (const one of Object.keys(locked.optionalDependencies ?? {})) visit(path, one, true);
    for (const one of Object.keys(locked.peerDependencies ?? {}))
      if (locked.peerDependenciesMeta?.[one]?.optional !== true) visit(path, one, isOptional);
  };
  for (const name of Object.keys(dependencies)) visit('', name, false);
  const entries = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, isOptional]) => {
      const kept = Object.fromEntries(
        Object.entries(packages[path] as Locked).filter(([name]) => !REASONS.includes(name)),
      );
      return [path, isOptional ? { ...kept, optional: true } : kept];
    });
  const lock = {
    name: manifest.name,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name: manifest.name, dependencies }, ...Object.fromEntries(entries) },
  };
  return { manifest: `${JSON.stringify(manifest, null, 2)}\n`, lock: `${JSON.stringify(lock, null, 2)}\n` };
}

/** Where Node would look from the folder of a package: its own node_modules, then those above. */
function placeOf(packages: Readonly<Record<string, Locked>>, from: string, name: string): string | null {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return null;
  }
}

function sorted(values: Versions): Versions {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (process.argv[1] === import.meta.filename) {
  const { manifest, lock } = containerFiles();
  writeFileSync(join(root, 'container/package.json'), manifest);
  writeFileSync(join(root, 'container/package-lock.json'), lock);
}
