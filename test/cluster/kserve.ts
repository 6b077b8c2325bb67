/** KServe's model server and its agent (the payload logger), the real ones, as `scripts/kserve.sh` installs them. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, Program } from '../real/programs.ts';

const FOLDER = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools/kserve');

function installed(file: string): string {
  const path = join(FOLDER, file);
  if (!existsSync(path))
    throw new Error(`${path} is not there; run scripts/kserve.sh, which makes it (some twelve minutes, once)`);
  return path;
}

export interface KServe {
  /** Of the agent: where callers call. */
  readonly url: string;
  close(): Promise<void>;
}

/** `logUrl`: where copies of requests and responses go. */
export async function startKServe(logUrl: string): Promise<KServe> {
  const [python, agent] = [installed('python/bin/python'), installed('agent')];
  const [modelPort, agentPort] = [await freePort(), await freePort()];
  const model = new Program(python, [join(import.meta.dirname, 'kserve-model.py'), String(modelPort)]);
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${modelPort}/v2/health/ready`)).status,
    (status) => status === 200,
    60_000,
  );
  const logger = new Program(
    agent,
    [
      `--port=${agentPort}`,
      `--component-port=${modelPort}`,
      `--log-url=${logUrl}`,
      '--source-uri=urn:kserve:churn',
      '--log-mode=all',
      '--inference-service=churn',
      '--namespace=ns1',
      '--endpoint=default',
      '--component=predictor',
      '--metadata-headers=Inference-Header-Content-Length',
    ],
    { env: { SERVING_READINESS_PROBE: `{"tcpSocket":{"port":${modelPort},"host":"127.0.0.1"}}` } },
  );
  const url = `http://127.0.0.1:${agentPort}`;
  await eventually(
    async () => (await fetch(`${url}/v2/health/live`)).status,
    (status) => status === 200,
    30_000,
  );
  return {
    url,
    // The agent drains for half a minute after SIGTERM.
    close: async () => {
      await logger.stop('SIGKILL');
      await model.stop('SIGKILL');
    },
  };
}
