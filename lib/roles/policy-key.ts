/** The key of the field policy `hash`, from a mounted secret: `{ "version": "1", "key": "<64 hexadecimal digits>" }`, or the digits alone. */
import { readFile } from 'node:fs/promises';
import { ProblemError } from '../contracts/problem.ts';
import type { Role } from '../contracts/roles.ts';
import type { PolicyKey } from '../pipeline/field-policy.ts';

const KEY = /^[0-9a-f]{64}$/i;
const VERSION = /^[A-Za-z0-9._-]{1,40}$/;

/** Roles that hash: only they read the key. The page publishes monitors, and the evaluator learns their baselines. */
export const HASHING: readonly Role[] = ['collector', 'evaluator', 'page'];

/** @throws ProblemError that names the file and never quotes it */
export async function readPolicyKey(file: string | undefined): Promise<PolicyKey | null> {
  if (file === undefined) return null;
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw wrong(file, 'cannot be read', (error as NodeJS.ErrnoException).code);
  }
  const key = KEY.test(text) ? { version: '1', secret: Buffer.from(text, 'hex') } : parsed(text);
  if (key === null) throw wrong(file, 'is no policy key');
  return key;
}

function parsed(text: string): PolicyKey | null {
  try {
    const { version, key } = JSON.parse(text) as Record<string, unknown>;
    if (typeof version !== 'string' || !VERSION.test(version) || typeof key !== 'string' || !KEY.test(key)) return null;
    return { version, secret: Buffer.from(key, 'hex') };
  } catch {
    return null;
  }
}

function wrong(file: string, message: string, got?: string): ProblemError {
  return new ProblemError([
    {
      code: 'policy-key',
      path: file,
      message,
      got,
      expected: '{ "version": "1", "key": "<64 hexadecimal digits>" }, with a new version each time the key changes',
      fix: 'make a key with `openssl rand -hex 32`, and check the secret that is mounted there',
    },
  ]);
}
