/** The lock file is whole: `npm ci` refuses one that lacks a package, be it for another platform than this one. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  /** Shipped inside the package above it, whose checksum covers it. */
  readonly inBundle?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

/** Where Node would look from the folder of a package: its own node_modules, then those above. */
function isLocked(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === '') return false;
  }
}

it('has every package that a package asks for, on every platform', () => {
  const missing = Object.entries(lock.packages).flatMap(
    ([path, { dependencies, optionalDependencies, devDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies, ...(path === '' ? devDependencies : {}) })
        .filter((name) => !isLocked(path, name))
        .map((name) => `${path === '' ? 'package.json' : path} → ${name}`),
  );
  expect(missing).toEqual([]);
});

it('has a checksum of everything but optional packages', () => {
  const without = Object.entries(lock.packages).filter(
    ([path, { integrity, optional, inBundle }]) =>
      path !== '' && integrity === undefined && optional !== true && inBundle !== true,
  );
  expect(without.map(([path]) => path)).toEqual([]);
});
