import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileAssetPackaging, Stack, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ProblemError } from '../contracts/problem.ts';

/** Where an asset of lines lies: its key is a digest of what it holds. */
export interface LinesAsset {
  readonly bucketName: string;
  readonly objectKey: string;
}

/**
 * Lines as one asset of the stack that `scope` is in. The file goes straight into the assembly, which is the output of synthesis.
 * @param name begins the file's name, and ends the path by which the asset is shown
 */
export function linesAsset(scope: Construct, name: string, lines: readonly string[]): LinesAsset {
  const body = lines.map((line) => `${line}\n`).join('');
  const digest = createHash('sha256').update(body).digest('hex');
  const fileName = `${name}.${digest}.ndjson`;
  const stage = Stage.of(scope);
  if (stage === undefined)
    throw new ProblemError([
      { code: 'no-app', path: scope.node.path, message: 'is in no App', fix: 'put the stack into an App or a Stage' },
    ]);
  writeFileSync(join(stage.outdir, fileName), body);
  return Stack.of(scope).synthesizer.addFileAsset({
    fileName,
    packaging: FileAssetPackaging.FILE,
    sourceHash: digest,
    displayName: `${scope.node.path}/${name}`,
  });
}
