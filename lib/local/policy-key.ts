/** The key that hashes fields, made once for each data folder and readable by its owner alone. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyKey } from '../pipeline/field-policy.ts';

const FILE = 'policy-key';

export async function policyKey(folder: string): Promise<PolicyKey> {
  const path = join(folder, FILE);
  try {
    // `wx`: whoever comes second takes the key of the first.
    await writeFile(path, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return { version: '1', secret: Buffer.from((await readFile(path, 'utf8')).trim(), 'hex') };
}
