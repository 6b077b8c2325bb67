/**
 * What a deployment publishes into the store through its custom resource. Monitors and baselines travel as one asset of JSON lines, so that
 * their number costs no resources; what holds names that are known only when deployed travels as properties.
 */
import type { Baseline } from './baseline.ts';

/** One line of the asset. */
export interface PublishedLine {
  /** As `parseMonitor` takes it. */
  readonly monitor: Readonly<Record<string, unknown>>;
  /** Made by `mlmon profile`; or the key of such an object in the store's bucket; `null` for none. */
  readonly baseline: Baseline | { readonly key: string } | null;
}

/** Properties of the custom resource. CloudFormation hands all scalars over as text. */
export interface PublicationProperties {
  readonly ServiceToken: string;
  /** Where the asset lies; its key is a digest, so a change of content is a change of properties. */
  readonly AssetBucket: string;
  readonly AssetKey: string;
  /** Names the publication: what an earlier one with this name published and this one lacks is removed from the platform. */
  readonly Owner: string;
  /** JSON of `Alerting`; absent in publications that only bring monitors. */
  readonly Alerting?: string;
  /** JSON: channels (`Delivery[]`) that get what is told of the models of this publication, and nothing else. Absent: none. */
  readonly Channels?: string;
  /** JSON: principal → `SenderRights`; the platform holds the union over all owners. Absent: none. */
  readonly Bindings?: string;
}

/** What a sender may send: models, `*` for all. */
export interface SenderRights {
  readonly events: readonly string[];
  readonly labels: readonly string[];
}
