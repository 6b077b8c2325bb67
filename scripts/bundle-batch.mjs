// Bundles bin/batch.ts and the modules of its threads beside it, once for each state of the sources: a checkout's commands that work through data
// start in a fraction of the time, and their threads need no loader of TypeScript. What the engine makes of the bundle is kept too, for each
// command. Plain JavaScript, because it runs before there is one.
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
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

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

/** Runs the command that the process was asked for. `false` where a bundle can be neither made nor kept, and the source must be run. */
export async function runBundledBatch() {
  const file = await bundledBatch();
  if (file === null) return false;
  runScript(file, `${file}.${process.argv[2]}.cache`);
  return true;
}

/** Reading a megabyte of source and compiling what is called of it takes 0.1 s, and what was compiled the last time a tenth of that. */
function runScript(file, cache) {
  let cachedData;
  try {
    cachedData = readFileSync(cache);
  } catch {
    // The first time.
  }
  const source = `(function (require, bundleUrl, module, exports) {${readFileSync(file, 'utf8')}\n})`;
  const script = new Script(source, { filename: file, cachedData });
  if (cachedData === undefined || script.cachedDataRejected)
    process.on('exit', () => {
      try {
        writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
        renameSync(`${cache}.${process.pid}`, cache);
      } catch {
        // Nothing can be kept here: it is compiled anew every time.
      }
    });
  const module = { exports: {} };
  script.runInThisContext()(createRequire(file), pathToFileURL(file).href, module, module.exports);
}

/** The file to run; `null` where there is none. */
async function bundledBatch() {
  try {
    const known = existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) : null;
    if (known !== null && stateOf(known.inputs) === known.state) {
      const file = join(folder, known.state, 'batch.cjs');
      if (existsSync(file)) return file;
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
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // Native; the library over it is some hundred files, which would be most of a start.
    external: ['@duckdb/node-bindings'],
    // Without comments all is ASCII, of which the engine holds half as much and reads it faster.
    minifyWhitespace: true,
    metafile: true,
    logLevel: 'silent',
  };
  const built = await Promise.all([
    // One script, since the engine keeps what it compiled of scripts only.
    build({
      ...options,
      entryPoints: [join(root, 'bin/batch.ts')],
      outfile: join(draft, 'batch.cjs'),
      format: 'cjs',
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': 'bundleUrl' },
    }),
    build({
      ...options,
      entryPoints: [join(root, 'lib/cli/answer-worker.ts'), join(root, 'lib/local/column-worker.ts')],
      outdir: draft,
      entryNames: '[name]',
      splitting: true,
      format: 'esm',
      banner: { js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);" },
    }),
  ]);
  writeFileSync(join(draft, 'package.json'), '{"type":"module"}\n');
  // Of packages the lock file tells.
  const sources = built
    .flatMap(({ metafile }) => Object.keys(metafile.inputs))
    .filter((path) => !path.startsWith('node_modules/'));
  const inputs = [...new Set(['package-lock.json', ...sources])]
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
  return join(place, 'batch.cjs');
}
