/** References to secrets: where a value lies, never the value. Whoever runs the cluster makes the Secret. */
import { PATHS } from './defaults.ts';

/** One key of a Secret in the namespace of the pod that reads it. */
export interface SecretKey {
  /** Name of the Secret. */
  readonly secret: string;
  /** Key in it. */
  readonly key: string;
}

/** Where a container finds it, as a file. */
export function secretFile({ secret, key }: SecretKey): string {
  return `${PATHS.secrets}/${secret}/${key}`;
}

/** Name of a Secret or of a ConfigMap: a DNS subdomain. */
export const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Key of a Secret. */
export const DATA_KEY = /^(?!\.\.?$)[-._a-zA-Z0-9]{1,253}$/;
