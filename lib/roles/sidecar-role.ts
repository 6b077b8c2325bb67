/** Beside a model server: copies of its inferences to the collector. The model's path stays open whatever happens here. */

import type { Tokens } from '../local/server/tokens.ts';
import { startSidecar } from '../sidecar/sidecar.ts';
import { watchedModels } from './monitor-folder.ts';
import type { RoleParts } from './role.ts';
import type { Shared } from './shared.ts';

export async function sidecarRole({ config, clock, say }: Shared, tokens: Tokens | null): Promise<RoleParts> {
  if (config.sidecar === undefined) throw new Error('the configuration was checked to have a sidecar');
  const { host, port, names } = config.http;
  const sidecar = await startSidecar({
    config: config.sidecar,
    http: { host, port, names },
    models: config.monitors === undefined ? [] : await watchedModels(config.monitors.folder),
    authorize:
      tokens === null
        ? null
        : (token) => tokens.identify(token === null ? null : `Bearer ${token}`)?.scopes.has('events:write') ?? false,
    clock,
    note: (level, message) => say(`sidecar: ${level}: ${message}`),
  });
  say(`http: http://${host}:${sidecar.httpPort}`);
  if (sidecar.proxyPort !== null) say(`proxy: http://${config.sidecar.proxy?.host}:${sidecar.proxyPort}`);
  return {
    samples: () => sidecar.samples(),
    leave: (times) => sidecar.drain(times),
  };
}
