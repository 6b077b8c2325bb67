import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../contracts/functions.ts';
import { ProblemError } from '../contracts/problem.ts';
import { packageFolder } from './package-folder.ts';

/** What Lambda calls in each bundle. */
export const HANDLER = 'index.handler';

/**
 * The bundle of a function, made when the package is built and shipped in it: `dist/lambdas/<name>`, in a checkout as in the installed
 * package. Nothing is bundled at synthesis.
 * @param root of the package; for tests
 * @throws ProblemError when it was not built
 */
export function functionCode(name: FunctionName, root = packageFolder(import.meta.dirname)): lambda.AssetCode {
  const folder = join(root, 'dist/lambdas', name);
  if (!existsSync(join(folder, 'index.mjs')))
    throw new ProblemError([
      {
        code: 'function-not-built',
        path: `dist/lambdas/${name}/index.mjs`,
        message: 'the bundle of this function is missing',
        expected: 'the file that the build of the package makes',
        fix: `run \`npm run build:functions\` in ${root}`,
      },
    ]);
  return lambda.Code.fromAsset(folder);
}
