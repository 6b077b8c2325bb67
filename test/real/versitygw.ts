/** versitygw, a real S3 server with conditional writes on a folder: started, stopped and started again on the same objects and port. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, Program } from './programs.ts';

const BINARY = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools/versitygw/versitygw');
const ACCESS_KEY = 'mlmon-test';
const SECRET_KEY = 'mlmon-test-secret';
export const REGION = 'us-east-1';

export interface Versitygw {
  readonly endpoint: string;
  readonly accessKeyIdFile: string;
  readonly secretAccessKeyFile: string;
  /** Its objects as files: `<bucket>/<key>`. */
  readonly objects: string;
  /** A bucket of its own for whoever asks. */
  bucket(name: string): string;
  /** As when the service is away; its objects stay. */
  stop(): Promise<void>;
  /** Again, at the same address. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startVersitygw(): Promise<Versitygw> {
  if (!existsSync(BINARY))
    throw new Error(`${BINARY} is not there; run scripts/versitygw.sh, which builds it (about two minutes, once)`);
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-versitygw-'));
  const objects = join(folder, 'objects');
  mkdirSync(objects);
  const [accessKeyIdFile, secretAccessKeyFile] = [join(folder, 'access-key-id'), join(folder, 'secret-access-key')];
  writeFileSync(accessKeyIdFile, `${ACCESS_KEY}\n`, { mode: 0o644 });
  writeFileSync(secretAccessKeyFile, `${SECRET_KEY}\n`, { mode: 0o644 });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let program: Program | null = null;
  const start = async (): Promise<void> => {
    program = new Program(BINARY, ['--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', 'posix', objects], {
      env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    });
    // Any answer means that it listens.
    await eventually(
      async () => (await fetch(endpoint)).status,
      () => true,
      20_000,
    );
  };
  const stop = async (): Promise<void> => {
    await program?.stop('SIGKILL');
    program = null;
  };
  await start();
  return {
    endpoint,
    accessKeyIdFile,
    secretAccessKeyFile,
    objects,
    bucket: (name) => {
      mkdirSync(join(objects, name), { recursive: true });
      return name;
    },
    start,
    stop,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
