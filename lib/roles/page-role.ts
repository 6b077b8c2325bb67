/** The page, and what people and commands ask and change. */
import { renderRunbook } from '../alerts/runbook.ts';
import { PlatformActions } from '../local/actions.ts';
import { readChannels } from '../local/channels.ts';
import { deployedHealth } from '../local/deployed-health.ts';
import { loadPage } from '../local/page/load.ts';
import { remembered } from '../local/platform-health.ts';
import { apiRoutes } from '../local/server/api-routes.ts';
import { changeRoutes } from '../local/server/change-routes.ts';
import { erasureRoutes } from '../local/server/erasure-routes.ts';
import { openApiDocument } from '../local/server/open-api.ts';
import { pageRoutes } from '../local/server/page-routes.ts';
import { ReadModel } from '../local/server/read-model.ts';
import { WindowColumns } from '../local/server/window-columns.ts';
import { AuditLog } from '../pipeline/audit.ts';
import { PackReader } from '../pipeline/pack-reader.ts';
import { readQuarantine } from '../pipeline/quarantine.ts';
import { every } from '../pipeline/timed-parts.ts';
import type { RoleParts } from './role.ts';
import type { Shared } from './shared.ts';
import { learn } from './stream-roles.ts';

/** Milliseconds for which lists of a store, its health and its quarantine are believed: each costs calls, and the page asks from every tab. */
const LISTS_MS = 5_000;
const HEALTH_MS = 5_000;
const QUARANTINE_MS = 30_000;
/** How often it looks whether it can show anything, milliseconds. */
const LOOK_MS = 60_000;

export async function pageRole(shared: Shared): Promise<RoleParts> {
  const { store, clock, registry, links, policyKey, config } = shared;
  const health = remembered(HEALTH_MS, () => deployedHealth(store, registry));
  const read = new ReadModel({
    store,
    clock,
    registry,
    links,
    health,
    columns: new WindowColumns({ store, registry, reader: new PackReader(store) }),
    quarantine: remembered(QUARANTINE_MS, () => readQuarantine(store, { now: clock.now() })),
    cacheMs: LISTS_MS,
  });
  const actions = new PlatformActions({
    store,
    clock,
    registry,
    audit: new AuditLog({ store, clock }),
    // Those of this process: a test from the page sends through them.
    channels: await readChannels(config.channelsFile, store),
    policyKey,
    baselineFromCapture: (model, monitor, from, to) => learn(shared, { model, monitor, span: { from, to } }),
  });
  return {
    // Told like any part: failing while what it shows cannot be read, and missed when it is gone.
    parts: [every('page', LOOK_MS, health)],
    routes: [
      ...apiRoutes(read),
      ...changeRoutes(actions, read),
      ...erasureRoutes(shared.eraser().eraser),
      ...pageRoutes({ page: await loadPage(), runbook: renderRunbook(), openApi: openApiDocument() }),
    ],
  };
}
