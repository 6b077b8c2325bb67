/** The system calls that change a segment, so that a test can make them fail. */
import { fdatasync, ftruncate, write } from 'node:fs';
import { promisify } from 'node:util';

export interface SegmentIo {
  /** Returns the bytes written, which may be fewer than asked for. */
  write(file: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  sync(file: number): Promise<void>;
  truncate(file: number, length: number): Promise<void>;
}

export const systemIo: SegmentIo = {
  write(file, buffer, offset, length, position) {
    return new Promise((resolve, reject) => {
      write(file, buffer, offset, length, position, (error, written) => (error ? reject(error) : resolve(written)));
    });
  },
  sync: promisify(fdatasync),
  truncate: promisify(ftruncate),
};
