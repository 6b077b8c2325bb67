/** `log.json`: the identity of the log and its partitions. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { initialPartitions, type PartitionEntry } from '../partition-table.ts';
import { errorCode } from './disk-failure.ts';
import { ownToken, tokenText } from './process-token.ts';
import { type Durability, replaceFile } from './sync.ts';

const SCHEMA = 'mlmon.log/v1';
const FILE = 'log.json';

export interface LogDescription {
  /** UUID made with the log. */
  readonly identity: string;
  readonly partitions: readonly PartitionEntry[];
}

export function newDescription(partitions: number): LogDescription {
  return { identity: randomUUID(), partitions: initialPartitions(partitions) };
}

/** `null` when the folder has none; throws when it cannot be understood. */
export async function readDescription(folder: string): Promise<LogDescription | null> {
  const path = join(folder, FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const description = understand(text);
  if (description === null) {
    throw new Error(
      `${path}: damaged, got ${JSON.stringify(text.slice(0, 80))}; expected the description of a log (${SCHEMA}); restore the file, or remove the folder to begin a new log`,
    );
  }
  return description;
}

export async function writeDescription(
  folder: string,
  description: LogDescription,
  durability: Durability,
): Promise<void> {
  const temporary = temporaryName(folder, FILE);
  const body = Buffer.from(`${JSON.stringify({ schema: SCHEMA, ...description }, null, 2)}\n`);
  try {
    await replaceFile(folder, join(folder, FILE), temporary, body, durability);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** A name for an unfinished file, which is removed when its process is dead. */
export function temporaryName(folder: string, file: string): string {
  return join(folder, `${file}~${tokenText(ownToken())}~${randomBytes(6).toString('hex')}`);
}

function understand(text: string): LogDescription | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { schema, identity, partitions } = (value ?? {}) as Record<string, unknown>;
  if (schema !== SCHEMA || typeof identity !== 'string' || !/^[0-9a-f-]{36}$/.test(identity)) return null;
  if (!Array.isArray(partitions) || partitions.length === 0) return null;
  const entries: PartitionEntry[] = [];
  for (const each of partitions as unknown[]) {
    const { id, parents, closed, from, to } = (each ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string' || !Array.isArray(parents) || typeof closed !== 'boolean') return null;
    if (typeof from !== 'number' || typeof to !== 'number') return null;
    entries.push({ id, parents: parents.map(String), closed, from, to });
  }
  return { identity, partitions: entries };
}
