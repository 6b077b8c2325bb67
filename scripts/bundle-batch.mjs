// Bundles bin/batch.ts and the modules of its threads beside it, once for each state of the sources: a checkout's commands that work through data
// start in a fraction of the time, and their threads need no loader of TypeScript. Plain JavaScript, because it runs before there is one.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'node_modules', '.cache', 'mlmon-batch');
const index = join(folder, 'newest.json');
const DAY = 86_400_000;

/** What decides the bundle: each source as it lies there. */
function stateOf(inputs) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const path of inputs) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`\0${path}\0${mtimeMs}\0${size}`);
  }
  return hash.digest('hex').slice(0, 20);
}

/** The address of the module to import; `null` where a bundle cannot be made or kept, and the source must be run. */
export async function bundledBatch() {
  try {
    const known = existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) : null;
    if (known !== null && stateOf(known.inputs) === known.state) {
      const file = join(folder, known.state, 'batch.js');
      if (existsSync(file)) return pathToFileURL(file).href;
    }
  } catch {
    // A source that went away, or an index cut short: made anew.
  }
  try {
    return await make();
  } catch {
    return null;
  }
}

async function make() {
  const { build } = await import('esbuild');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    // Of another state of the sources, and no longer run by anybody.
    const path = join(folder, name);
    if (statSync(path).mtimeMs < Date.now() - DAY) rmSync(path, { recursive: true, force: true });
  }
  const draft = mkdtempSync(join(folder, 'draft-'));
  const { metafile } = await build({
    entryPoints: {
      batch: join(root, 'bin/batch.ts'),
      'answer-worker': join(root, 'lib/cli/answer-worker.ts'),
      'column-worker': join(root, 'lib/local/column-worker.ts'),
    },
    absWorkingDir: root,
    outdir: draft,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);" },
    // Native; the library over it is some hundred files, which would be most of a start.
    external: ['@duckdb/node-bindings'],
    metafile: true,
    logLevel: 'silent',
  });
  writeFileSync(join(draft, 'package.json'), '{"type":"module"}\n');
  // Of packages the lock file tells.
  const sources = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'));
  const inputs = ['package-lock.json', ...sources]
    .map((path) => relative(root, join(root, path)).replaceAll('\\', '/'))
    .sort();
  const state = stateOf(inputs);
  const place = join(folder, state);
  try {
    renameSync(draft, place);
  } catch {
    // Somebody else was faster, with the same sources.
    rmSync(draft, { recursive: true, force: true });
  }
  const written = `${index}.${process.pid}`;
  writeFileSync(written, JSON.stringify({ state, inputs }));
  renameSync(written, index);
  return pathToFileURL(join(place, 'batch.js')).href;
}
