import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGE = 'ml-monitoring-constructs';

/** The root of this package, seen from a file of it: the folder of a checkout, or what npm unpacked. */
export function packageFolder(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    // Builds have manifests of their own inside, which say how a folder is loaded.
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === PACKAGE)
      return folder;
    if (dirname(folder) === folder)
      throw new Error(`${from}: no folder above holds the package.json of ${PACKAGE}; install the package again`);
  }
}
