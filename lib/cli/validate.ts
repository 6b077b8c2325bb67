/** `mlmon validate`: checks monitors, all problems of all files at once. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { formatProblem, type Problem } from '../contracts/problem.ts';
import { isOther, monitorPaths, readMonitorText } from '../local/monitor-file.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { readOptions } from './options.ts';

const help = `mlmon validate: checks monitors

Usage: mlmon validate FILE|DIR… [--json]

Reads YAML or JSON. Says for every problem where it is, what was found, what is expected and the nearest key.

  --json    problems as JSON on standard output

Exit code 0 when all are valid, 2 otherwise.
`;

export const command: Command = {
  name: 'validate',
  summary: 'checks monitors',
  help,
  async run(argv, io) {
    const options = readOptions(argv, { json: { type: 'boolean' } }, { least: 1, most: 1_000, called: 'FILE' });
    const answers: { file: string; model: string | null; problems: readonly Problem[] }[] = [];
    for (const file of await filesOf(options.words, io.cwd)) {
      let content: string;
      try {
        content = await readFile(resolve(io.cwd, file), 'utf8');
      } catch (error) {
        const problem: Problem = {
          code: 'file',
          path: '',
          message: 'cannot be read',
          got: (error as NodeJS.ErrnoException).code,
        };
        answers.push({ file, model: null, problems: [problem] });
        continue;
      }
      if (isOther(content) && !options.words.includes(file)) continue;
      const { monitor, problems } = readMonitorText(content);
      answers.push({ file, model: monitor?.model ?? null, problems });
    }
    if (answers.length === 0)
      throw wrongUse(options.words.join(', '), 'holds no monitor', 'write one with `mlmon init`');
    if (options.flag('json')) io.stdout.write(`${JSON.stringify(answers, null, 2)}\n`);
    else
      for (const { file, model, problems } of answers) {
        if (problems.length === 0) io.stdout.write(`${file}: valid, monitors ${model}\n`);
        for (const problem of problems) io.stderr.write(`${file}: ${formatProblem(problem)}\n`);
      }
    return answers.every(({ problems }) => problems.length === 0) ? EXIT.nothingFound : EXIT.wrongUse;
  },
};

/** Files as they are named; the monitors of a folder below its name. */
async function filesOf(words: readonly string[], cwd: string): Promise<string[]> {
  const files: string[] = [];
  for (const word of words) {
    const found = await stat(resolve(cwd, word)).catch(() => null);
    if (found?.isDirectory() !== true) files.push(word);
    else for (const path of await monitorPaths(resolve(cwd, word))) files.push(join(word, basename(path)));
  }
  return files;
}
