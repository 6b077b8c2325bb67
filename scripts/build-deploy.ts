/**
 * Writes what is generated under deploy/kubernetes: the kustomize base, and the files that the Helm chart brings along. A test compares the
 * committed files with what this makes.
 *
 *   node --import tsx scripts/build-deploy.ts [folder]        default: deploy/kubernetes
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { deployFiles } from './deploy-files.ts';

const root = resolve(import.meta.dirname, '..');
const output = resolve(process.argv[2] ?? join(root, 'deploy/kubernetes'));
for (const folder of ['base', 'components', 'helm/files'])
  rmSync(join(output, folder), { recursive: true, force: true });
for (const [file, text] of deployFiles()) {
  mkdirSync(dirname(join(output, file)), { recursive: true });
  writeFileSync(join(output, file), text);
}
