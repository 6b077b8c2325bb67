/** The file that a monitor names as its baseline, where nothing reads data: at synthesis, whatever is deployed to. */
import type { Baseline } from './baseline.ts';
import { type Problem, shown } from './problem.ts';

const PATH = 'baseline.from';

/** `null` when the name is one of a baseline, which ends in `.json`; data files are not read. */
export function dataFileProblem(from: string): Problem | null {
  if (from.endsWith('.json')) return null;
  return {
    code: 'data-file',
    path: PATH,
    message: 'is a data file, and no data is read at synthesis',
    got: shown(from),
    expected: 'a baseline that was made from it',
    fix: `run \`mlmon profile ${from} --monitor <this file> -o baseline.json\` and name baseline.json here`,
  };
}

/** `null` when the content of the file `from` is a baseline of this model. */
export function baselineProblem(content: unknown, from: string, model: string): Problem | null {
  const found = (content ?? {}) as Partial<Baseline>;
  if (found.schema !== 'mlmon.baseline/v1' || !Array.isArray(found.columns))
    return {
      code: 'not-a-baseline',
      path: PATH,
      message: 'is not a baseline',
      got: found.schema === undefined ? 'other JSON' : shown(found.schema),
      expected: 'a file made by `mlmon profile`',
      fix: `run \`mlmon profile <data> --monitor <this file> -o ${from}\``,
    };
  if (found.model === model) return null;
  return {
    code: 'other-model',
    path: PATH,
    message: 'is the baseline of another model',
    got: shown(found.model),
    expected: model,
    fix: 'name that of this model',
  };
}

/** A file that a monitor names, or the monitor itself. */
export function unreadableFile(path: string, error: unknown, got?: string): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  return {
    code: 'file',
    path,
    message: `cannot be read: ${code ?? message}`,
    got,
    expected: 'a readable file',
    fix: 'mend the path, which is seen from the folder of the monitor',
  };
}

/** A baseline or another of the platform's own files, which lie beside monitors and are none. */
export function isOurOwn(text: string): boolean {
  return /^\s*\{\s*"schema"\s*:\s*"mlmon\./.test(text.slice(0, 200));
}
