/** The key that hashes fields, from its secret: `{ "version": "1", "key": "<64 hexadecimal digits>" }`. */
import type { PolicyKey } from '../lib/pipeline/field-policy.ts';

const KEY = /^[0-9a-f]{64}$/i;
const VERSION = /^[A-Za-z0-9._-]{1,40}$/;

/** @throws Error saying what is wrong, never quoting the secret */
export function parsePolicyKey(text: string, arn: string): PolicyKey {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  const { version, key } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof version !== 'string' || !VERSION.test(version) || typeof key !== 'string' || !KEY.test(key))
    throw new Error(
      `${arn}: is no policy key; expected { "version": "1", "key": "<64 hexadecimal digits>" }; put one with \`aws secretsmanager put-secret-value\`, with a new version each time the key changes`,
    );
  return { version, secret: Buffer.from(key, 'hex') };
}
