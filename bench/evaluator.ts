/**
 * 1,000 models of 100 features: one hourly window of each judged and written by the evaluator function, from packs of two partitions, for each
 * size that the function may have. A copy of the function runs in a process of its own whose heap is limited as Lambda limits it; what is
 * measured is processor time and the largest memory. Lambda gives a function a share of a processor by its memory (one at 1,769 MB), so its time is
 * about processor time over that share, and the waiting for the store that several models do not share.
 *
 *   node --import tsx bench/evaluator.ts
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FolderStore } from '../lib/adapters/disk/folder-store.ts';
import { monitorSchema } from '../lib/contracts/monitor.ts';
import { keys, stamp } from '../lib/contracts/object-keys.ts';
import { encodePack } from '../lib/engine/pack.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { cursorBytes, EMPTY_CURSOR } from '../lib/pipeline/cursor.ts';
import { calibratedBaseline, profileOf, recordsOf } from './evaluation-data.ts';
import { type EvaluatorFigures, FACTS, modelNames } from './evaluator-data.ts';
import { median, noiseOf, tell } from './measurement.ts';
import { type BenchEvent, benchEvents } from './profiler-data.ts';

/** MB, and the share of a processor that Lambda gives for it. */
const SIZES = [512, 1_024, 1_769] as const;
const ONE_PROCESSOR = 1_769;
/** Of a function's memory what Lambda's runtime leaves to old objects. */
const HEAP_SHARE = 0.9;
const command = 'node --import tsx bench/evaluator.ts';

const text = (line: string): void => void process.stdout.write(`${line}\n`);

/** Twice the features: the second half of other values. */
function wide(count: number, seed: number): BenchEvent[] {
  const others = benchEvents(count, seed + 10_000);
  return benchEvents(count, seed).map((event, i) => {
    const other = others[i] as BenchEvent;
    const renamed = <T>(values: Record<string, T>) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`other_${name}`, value]));
    const numeric = { ...event.numeric, ...renamed(other.numeric) };
    const categorical = { ...event.categorical, ...renamed(other.categorical) };
    const line = JSON.stringify({ ...(JSON.parse(event.line) as object), numeric, categorical });
    return { ...event, numeric, categorical, line };
  });
}

const folder = mkdtempSync(join(tmpdir(), 'mlmon-evaluator-'));
try {
  const baseline = calibratedBaseline(wide(28 * 24 * 60, 1), {
    rowsPerWindow: 60,
    traffic: FACTS.partitions * FACTS.packs * FACTS.rows,
  });
  const monitor = monitorSchema.parse({
    model: 'bench',
    task: 'binary-classification',
    positive: 'yes',
    window: { every: '1h', lateness: '5m' },
  });
  const effectiveFrom = new Date(FACTS.start).toISOString();
  const shape = compileShape(monitor, baseline);
  writeFileSync(
    join(folder, 'monitor.json'),
    JSON.stringify({ n: 1, effectiveFrom, removed: false, by: 'bench', monitor }),
  );
  const published = { n: 1, version: '7', effectiveFrom, approved: { by: 'bench', at: effectiveFrom }, baseline };
  writeFileSync(join(folder, 'baseline.json'), JSON.stringify(published));
  const names = modelNames();
  const store = await FolderStore.open({ folder: join(folder, 'store'), durability: 'os' });
  mkdirSync(join(folder, 'packs'));
  const packKeys: string[] = [];
  let packBytes = 0;
  for (let partition = 0; partition < FACTS.partitions; partition++) {
    const packs: string[] = [];
    const appended: number[] = [];
    for (let i = 0; i < FACTS.packs; i++) {
      // A pack after the other, so that they are not all in memory.
      const bodies = [0, 1, 2, 3].map((which) =>
        profileOf(shape, recordsOf(wide(FACTS.rows, 2 + 97 * i + 13 * partition + which))).encode(),
      );
      const entries = names.map((model, at) => ({
        model,
        version: '7',
        grainStart: FACTS.start,
        stage: 0,
        shapeDigest: shape.digest,
        rows: FACTS.rows,
        body: bodies[at % bodies.length] as Uint8Array,
      }));
      const key = keys.pack(FACTS.start, `p${partition}`, String(i), String(i), `${partition}${i}`.padStart(64, '0'));
      const pack = encodePack(entries, []);
      packBytes += pack.length;
      writeFileSync(join(folder, 'packs', key.replaceAll('/', '_')), pack);
      packs.push(key);
      packKeys.push(key);
      appended.push(FACTS.start + (i + 1) * 60_000);
    }
    const cursor = {
      ...EMPTY_CURSOR,
      epoch: 1,
      position: String(FACTS.packs),
      appendTime: FACTS.now,
      packs,
      appended,
      open: { [stamp(FACTS.start)]: packs.map((_, i) => i) },
    };
    await store.putIfAbsent(keys.cursor(FACTS.log, `p${partition}`), cursorBytes(cursor));
  }
  writeFileSync(join(folder, 'packs.json'), JSON.stringify(packKeys));
  text(
    `${FACTS.models} models of ${shape.columns.length} columns, baselines of ${(JSON.stringify(baseline).length / 1e6).toFixed(1)} MB, ${packKeys.length} packs of ${(packBytes / packKeys.length / 1e6).toFixed(0)} MB`,
  );
  for (const size of SIZES) {
    const script = fileURLToPath(new URL('./evaluator-function.ts', import.meta.url));
    const heap = `--max-old-space-size=${Math.floor(size * HEAP_SHARE)}`;
    const { stdout } = await promisify(execFile)(process.execPath, [heap, '--import', 'tsx', script, folder], {
      maxBuffer: 1 << 24,
    });
    const figures = JSON.parse(stdout) as EvaluatorFigures;
    for (const prefix of ['results/', 'evaluations/', 'episodes/', 'bulletins/'])
      for (let page = await store.list(prefix); page.length > 0; page = await store.list(prefix))
        for (const key of page) await store.delete(key);
    const share = Math.min(1, size / ONE_PROCESSOR);
    const message = median(figures.messages);
    text(
      `${size} MB: ${figures.seconds.toFixed(1)} s of the processor for all, ${(1_000 * message).toFixed(0)} ms a message of ${FACTS.modelsPerMessage} models, largest memory ${figures.peakMb.toFixed(0)} MB, ${(figures.requests / FACTS.models).toFixed(1)} requests a model, results of ${(figures.resultBytes / FACTS.models / 1e3).toFixed(0)} kB; ${JSON.stringify(figures.statuses)}`,
    );
    const common = { benchmark: 'evaluator', reference: null, ratio: null, command };
    tell({
      ...common,
      measure: `1,000 models × 100 features judged and written by one evaluator function of ${size.toLocaleString('en')} MB, at its share of a processor`,
      ours: figures.seconds / share,
      unit: 's',
      target: null,
      met: null,
      noise: noiseOf(figures.messages),
    });
    tell({
      ...common,
      measure: `the same, its largest memory`,
      ours: figures.peakMb,
      unit: 'MB',
      target: `≤ ${size} MB`,
      met: figures.peakMb <= size,
      noise: null,
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
