/** KServe's logger, pointed at a collector or at a sidecar. */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ProblemError, shown } from '../contracts/problem.ts';

export interface PayloadLoggerOptions {
  /** Where copies of requests and responses are posted: `http://127.0.0.1:8091/v1/kserve` of a sidecar in the same pod. */
  readonly url: string;
  /** @default 'all': a response without its request tells little */
  readonly mode?: 'all' | 'request' | 'response';
  /** Headers of requests that are kept, in canonical case: `X-User-Id`. @default none */
  readonly metadataHeaders?: readonly string[];
}

/** Sets `spec.predictor.logger` of an InferenceService. @throws ProblemError for another kind, or an address with a token in it */
export function addPayloadLogger(service: IConstruct, options: PayloadLoggerOptions): void {
  const object = ApiObject.isApiObject(service) ? service : ApiObject.of(service);
  const { url, mode = 'all', metadataHeaders = [] } = options;
  if (object.kind !== 'InferenceService')
    throw new ProblemError([
      { code: 'kserve', path: object.kind, message: 'has no logger', expected: 'an InferenceService of KServe' },
    ]);
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  if (path !== '/v1/kserve')
    throw new ProblemError([
      {
        code: 'kserve',
        path: 'url',
        message: 'is no address of a collector for KServe, or has a token in it',
        got: shown(url.replace(/(\/v1\/kserve\/).*/, '$1…')),
        expected: 'http://<sidecar or collector>/v1/kserve',
        fix: 'put no token into objects that many may read: send through a sidecar, which has its token as a file',
      },
    ]);
  const wrong = metadataHeaders.filter((header) => !/^[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*$/.test(header));
  if (wrong.length > 0)
    throw new ProblemError([
      {
        code: 'kserve',
        path: 'metadataHeaders',
        message: 'are not in canonical case, and KServe would send them empty',
        got: shown(wrong),
        expected: 'for example X-User-Id',
      },
    ]);
  const before = object.toJson.bind(object);
  object.toJson = () => {
    const manifest = before() as { spec?: { predictor?: Record<string, unknown> } };
    manifest.spec ??= {};
    manifest.spec.predictor ??= {};
    manifest.spec.predictor['logger'] = {
      mode,
      url,
      ...(metadataHeaders.length === 0 ? {} : { metadataHeaders: [...metadataHeaders] }),
    };
    return manifest;
  };
}
