/**
 * File operations that the system answers from memory: names, sizes, and content that was written or read a moment ago.
 *
 * They are made synchronously behind promises. Through the thread pool each costs some fifty times its own time and a
 * turn of the event loop, and a conditional write takes eight of them one after another: on a busy platform that was the
 * largest part of every step. Whatever waits for a device (syncing) stays asynchronous. Promises, so that callers read as
 * before and an error is a rejection.
 */
import fs from 'node:fs';

export async function link(from: string, to: string): Promise<void> {
  fs.linkSync(from, to);
}

export async function mkdir(path: string, options: { readonly recursive: true }): Promise<void> {
  fs.mkdirSync(path, options);
}

export async function readFile(path: string): Promise<Buffer> {
  return fs.readFileSync(path);
}

/** Bytes [start, end) as far as the file has them. */
export async function readRange(path: string, start: number, end: number): Promise<Buffer> {
  const file = fs.openSync(path, 'r');
  try {
    const length = Math.max(0, Math.min(end, fs.fstatSync(file).size) - start);
    const body = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const bytes = fs.readSync(file, body, done, length - done, start + done);
      if (bytes === 0) break;
      done += bytes;
    }
    return body.subarray(0, done);
  } finally {
    fs.closeSync(file);
  }
}

export async function readdir(path: string): Promise<string[]> {
  return fs.readdirSync(path);
}

export async function readEntries(path: string): Promise<fs.Dirent[]> {
  return fs.readdirSync(path, { withFileTypes: true });
}

export async function rename(from: string, to: string): Promise<void> {
  fs.renameSync(from, to);
}

export async function rmdir(path: string): Promise<void> {
  fs.rmdirSync(path);
}

export async function stat(path: string): Promise<fs.Stats> {
  return fs.statSync(path);
}

export async function unlink(path: string): Promise<void> {
  fs.unlinkSync(path);
}

/** Makes a file; fails when there is one. */
export async function writeNew(path: string, body: Uint8Array): Promise<void> {
  fs.writeFileSync(path, body, { flag: 'wx' });
}
