/** Who may be talked to: the ends of network policies. */
import { k8s } from 'cdk8s-plus-28';

export interface PodPeerOptions {
  /** Labels of its namespace beside the name. @default none */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /** Labels of the pods. @default all pods of the namespace */
  readonly podLabels?: Readonly<Record<string, string>>;
}

/** Made by its factories. */
export class Peer {
  /** Pods of a namespace, by its name. */
  static namespace(name: string, options: PodPeerOptions = {}): Peer {
    return new Peer({
      kind: 'pods',
      namespaceLabels: { 'kubernetes.io/metadata.name': name, ...options.namespaceLabels },
      ...(options.podLabels === undefined ? {} : { podLabels: options.podLabels }),
    });
  }

  /** Pods of every namespace of the cluster, or those with labels. */
  static cluster(options: PodPeerOptions = {}): Peer {
    return new Peer({ kind: 'pods', namespaceLabels: {}, ...options });
  }

  /** Addresses outside the cluster: `10.0.0.0/8`. */
  static addresses(cidr: string, options: { readonly except?: readonly string[] } = {}): Peer {
    return new Peer({ kind: 'addresses', cidr, except: options.except ?? [] });
  }

  /** Anybody: for services whose addresses change, such as those of a cloud. The port stays the only one that is open. */
  static anywhere(): Peer {
    return new Peer({ kind: 'anywhere' });
  }

  readonly spec: PeerSpec;

  private constructor(spec: PeerSpec) {
    this.spec = spec;
  }
}

/** As data. */
export type PeerSpec =
  | {
      readonly kind: 'pods';
      readonly namespaceLabels: Readonly<Record<string, string>>;
      readonly podLabels?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'addresses'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'anywhere' };

/** `undefined` for anywhere: a rule without `to` or `from`. @internal */
export function policyPeers(peers: readonly Peer[]): k8s.NetworkPolicyPeer[] | undefined {
  if (peers.some(({ spec }) => spec.kind === 'anywhere')) return undefined;
  return peers.map(({ spec }) => {
    if (spec.kind === 'addresses')
      return { ipBlock: { cidr: spec.cidr, ...(spec.except.length === 0 ? {} : { except: [...spec.except] }) } };
    if (spec.kind === 'anywhere') throw new RangeError('anywhere is no peer');
    return {
      namespaceSelector:
        Object.keys(spec.namespaceLabels).length === 0 ? {} : { matchLabels: { ...spec.namespaceLabels } },
      ...(spec.podLabels === undefined ? {} : { podSelector: { matchLabels: { ...spec.podLabels } } }),
    };
  });
}

/** @internal */
export function tcp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'TCP' };
}
