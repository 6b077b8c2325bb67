/** Addresses of the JSON interface, relative to the page so that it also works behind a proxy's path. */
import { encoded, search } from './routes.ts';

export const MODELS = 'api/models';
export const HEALTH = 'api/health';
export const OPEN_ALERTS = 'api/alerts?state=open';
export const SILENCES = 'api/silences';

export function alertsPath(model: string | undefined): string {
  return `api/alerts${search({ model })}`;
}

export function acknowledgePath(id: string): string {
  return `api/alerts/${encoded(id)}/acknowledge`;
}

export function modelPath(model: string): string {
  return `${MODELS}/${encoded(model)}`;
}

export interface WindowsQuery {
  readonly version?: string;
  readonly length?: string;
  readonly to?: number;
  readonly limit: number;
}

export function windowsPath(model: string, query: WindowsQuery): string {
  return `${modelPath(model)}/windows${search({
    version: query.version,
    length: query.length,
    to: query.to === undefined ? undefined : new Date(query.to).toISOString(),
    limit: String(query.limit),
  })}`;
}

export interface FeatureQuery {
  readonly version?: string;
  readonly length?: string;
  readonly start?: number;
}

export function featurePath(model: string, feature: string, query: FeatureQuery): string {
  return `${modelPath(model)}/features/${encoded(feature)}${search({
    version: query.version,
    length: query.length,
    start: query.start === undefined ? undefined : new Date(query.start).toISOString(),
  })}`;
}

export function baselinesPath(model: string): string {
  return `${modelPath(model)}/baselines`;
}

export function baselineChangePath(model: string, n: number, change: 'approve' | 'rollback'): string {
  return `${baselinesPath(model)}/${n}/${change}`;
}

/** Cells that are drawn and sent every few seconds without anybody noticing. */
const CELLS = 24_000;

/** How many windows to ask for: what was wished, but fewer when a model has very many features. */
export function windowLimit(wished: number | undefined, features: number): number {
  const most = Math.max(50, Math.min(400, Math.floor(CELLS / Math.max(1, features))));
  return Math.min(wished ?? 200, most);
}
