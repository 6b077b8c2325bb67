/** Monitors as files: YAML or JSON. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { type Monitor, parseMonitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';

/** Reads the text of a monitor; JSON is YAML too. */
export function readMonitorText(text: string): { monitor: Monitor | null; problems: readonly Problem[] } {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0)
    return {
      monitor: null,
      problems: yamlProblems(document.errors, ''),
    };
  // Aliases can blow a small file up to gigabytes.
  return parseMonitor(document.toJS({ maxAliasCount: 20 }));
}

export interface MonitorFile {
  readonly file: string;
  readonly monitor: Monitor;
  /** `baseline.from` as an absolute path, when there is one. */
  readonly baselineFile: string | null;
}

/**
 * Reads one monitor, or all `*.yaml`, `*.yml` and `*.json` monitors of a folder. A baseline (a JSON file with a schema of its
 * own) in the same folder is not taken for a monitor.
 * @throws ProblemError with the problems of all files
 */
export async function readMonitorFiles(path: string): Promise<MonitorFile[]> {
  const problems: Problem[] = [];
  const found: MonitorFile[] = [];
  for (const file of await monitorPaths(path)) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      problems.push({
        code: 'file',
        path: file,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
      });
      continue;
    }
    if (isOther(text)) continue;
    const read = readMonitorText(text);
    problems.push(
      ...read.problems.map((problem) => ({
        ...problem,
        path: problem.path === '' ? file : `${file}: ${problem.path}`,
      })),
    );
    if (read.monitor === null) continue;
    const twin = found.find(({ monitor }) => monitor.model === read.monitor?.model);
    if (twin !== undefined)
      problems.push({
        code: 'twice',
        path: file,
        message: `the model ${read.monitor.model} has a monitor already, in ${twin.file}`,
        fix: 'remove one of them',
      });
    const from = read.monitor.baseline.from;
    found.push({ file, monitor: read.monitor, baselineFile: from === undefined ? null : resolve(dirname(file), from) });
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return found;
}

/** A baseline or another of the platform's own files. */
export function isOther(text: string): boolean {
  return /^\s*\{\s*"schema"\s*:\s*"mlmon\./.test(text);
}

/** The file itself, or the `*.yaml`, `*.yml` and `*.json` of a folder. @throws ProblemError when it is neither */
export async function monitorPaths(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const files: string[] = [];
    for (const entry of entries) {
      if (!/\.(?:ya?ml|json)$/.test(entry.name)) continue;
      const file = join(path, entry.name);
      // Where a ConfigMap is mounted every file is a link.
      const isFile = entry.isSymbolicLink() ? ((await stat(file).catch(() => null))?.isFile() ?? true) : entry.isFile();
      if (isFile) files.push(file);
    }
    return files.sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [path];
    throw new ProblemError([
      {
        code: 'file',
        path,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
        expected: 'a folder of monitors, or one monitor file',
      },
    ]);
  }
}
