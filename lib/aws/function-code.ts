import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../contracts/functions.ts';
import { ProblemError } from '../contracts/problem.ts';
import { packageFolder } from './package-folder.ts';

/** What Lambda calls in each bundle. */
export const HANDLER = 'index.handler';

/** Context that names a folder of bundles to use instead of those of the package, e.g. while one is mended. */
export const FUNCTIONS_CONTEXT = 'ml-monitoring-constructs:functions';

/**
 * The bundle of a function, made when the package is built and shipped in it: `dist/lambdas/<name>`, in a checkout as in the installed
 * package. Nothing is bundled at synthesis.
 * @param bundles folder that holds one folder for each function
 * @throws ProblemError when it was not built
 */
export function functionCode(name: FunctionName, bundles?: string): lambda.AssetCode {
  const root = packageFolder(import.meta.dirname);
  const folder = join(bundles ?? join(root, 'dist/lambdas'), name);
  if (!existsSync(join(folder, 'index.mjs')))
    throw new ProblemError([
      {
        code: 'function-not-built',
        path: join(folder, 'index.mjs'),
        message: 'the bundle of this function is missing',
        expected: 'the file that the build of the package makes',
        fix:
          bundles === undefined
            ? `run \`npm run build:functions\` in ${root}`
            : `run \`npm run build:functions -- ${bundles}\` in ${root}, or leave the context ${FUNCTIONS_CONTEXT} out`,
      },
    ]);
  return lambda.Code.fromAsset(folder);
}
