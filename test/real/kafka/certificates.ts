/** An authority and a certificate of 127.0.0.1 signed by it, for an hour's test: made by openssl, kept nowhere else. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** PEM files. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** `name`: also the common name. Two calls with different folders make authorities that do not trust each other. */
export async function makeCertificates(folder: string, name = 'localhost'): Promise<Certificates> {
  const at = (file: string): string => join(folder, file);
  const subject = (of: string): string[] => ['-subj', `/CN=${of}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    ...['req', '-x509', '-days', '2', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem')],
    ...subject('test authority'),
  ]);
  await run('openssl', ['req', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), ...subject(name)]);
  await writeFile(at('names.txt'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await run('openssl', [
    ...['x509', '-req', '-days', '2', '-in', at(`${name}.csr`), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ...['-CAcreateserial', '-extfile', at('names.txt'), '-out', at(`${name}.pem`)],
  ]);
  return { caFile: at('ca.pem'), certificateFile: at(`${name}.pem`), keyFile: at(`${name}.key`) };
}
