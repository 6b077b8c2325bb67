/** What the API server takes: names, labels, images, quantities, the ends of network policies. It would refuse the rest when objects are applied, or never run them. */
import { BlockList, isIP } from 'node:net';
import { type Problem, shown } from '../contracts/problem.ts';
import type { ContainerResources } from './defaults.ts';
import type { Peer } from './peer.ts';

/** Name of a Secret or of a ConfigMap: a DNS subdomain. */
export const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Key of a Secret that can be a file: none begins with two dots. */
export const DATA_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
/** Name of a namespace: one part of a domain. */
export const NAMESPACE = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_NAME = /^(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const IMAGE =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const QUANTITY = /^(\d+(?:\.\d+)?)(m|[kMGTPE]i?)?$/;

/** Below that no container of ours starts. Memory and disk in bytes, processors in cores. */
const LEAST: Readonly<Record<string, readonly [number, string]>> = {
  cpu: [0.001, 'at least 1m, for example 250m or 0.5'],
  memory: [67_108_864, 'at least 64Mi, for example 512Mi or 2Gi'],
  temporary: [1_048_576, 'at least 1Mi, for example 64Mi or 4Gi'],
};

/** A number, or `null` for what is no quantity: `250m`, `0.5`, `512Mi`. */
export function quantity(text: unknown): number | null {
  const [, number, unit = ''] = typeof text === 'string' ? (QUANTITY.exec(text) ?? []) : [];
  if (number === undefined) return null;
  if (unit === 'm') return Number(number) / 1_000;
  return (
    Number(number) * (unit.endsWith('i') ? 1_024 : 1_000) ** (unit === '' ? 0 : 1 + 'kMGTPE'.indexOf(unit[0] ?? ''))
  );
}

/** What a container cannot ask for. */
export function sizeProblems(path: string, sizes: Partial<ContainerResources>): Problem[] {
  return Object.entries(sizes).flatMap(([kind, size]) => {
    const [least, expected] = LEAST[kind] ?? [0, 'for example 250m, 512Mi'];
    const found = quantity(size);
    const isWhole = kind === 'cpu' || Number.isInteger(found);
    if (found !== null && found >= least && isWhole) return [];
    const tooLittle = isWhole ? 'is too little for a container to start' : 'is no whole number of bytes';
    const message = found === null ? 'is no quantity' : tooLittle;
    return [{ code: 'size', path: `${path}.${kind}`, message, got: shown(size), expected }];
  });
}

/** A tag that is not `latest`, or a digest. */
export function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true;
  const tag = /:([A-Za-z0-9_][A-Za-z0-9._-]{0,127})$/.exec(image)?.[1];
  return tag !== undefined && tag !== 'latest' && !image.includes('@');
}

export function imageProblems(image: string): Problem[] {
  const problem = { code: 'image', path: 'image', got: shown(image) };
  if (!isPinned(image))
    return [
      { ...problem, message: 'has no fixed version', expected: 'a tag other than latest, or a digest: name@sha256:…' },
    ];
  if (IMAGE.test(image)) return [];
  return [{ ...problem, message: 'is no name of an image', expected: 'for example registry.example.com/mlmon:1.0.0' }];
}

/** Keys of labels and of annotations; values of labels too. */
export function labelProblems(
  path: string,
  labels: Readonly<Record<string, string>>,
  kind: 'labels' | 'annotations',
): Problem[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const slash = key.lastIndexOf('/');
    const isKey = LABEL_NAME.test(key.slice(slash + 1)) && (slash === -1 || OBJECT_NAME.test(key.slice(0, slash)));
    const isValue = kind === 'annotations' || value === '' || LABEL_NAME.test(value);
    const expected = 'at most 63 letters, digits, hyphens, underscores and dots, letters or digits at both ends';
    return [
      ...(isKey ? [] : [{ code: 'label', path, message: `is no key of ${kind}`, got: shown(key), expected }]),
      ...(isValue
        ? []
        : [{ code: 'label', path: `${path}.${key}`, message: 'is no value of a label', got: shown(value), expected }]),
    ];
  });
}

/** What is wrong with the ends of a rule. None at all would be everybody: a rule without peers lets all through. */
export function peerProblems(path: string, peers: readonly Peer[]): Problem[] {
  const refuse = (message: string, got: unknown, expected: string): Problem[] => [
    { code: 'peer', path, message, got: shown(got), expected },
  ];
  if (peers.length === 0)
    return refuse(
      'has none, which would let everybody through',
      [],
      'at least one, or Peer.anywhere() where that is meant',
    );
  return peers.flatMap(({ spec }) => {
    if (spec.kind === 'anywhere') return [];
    if (spec.kind === 'pods') {
      const { 'kubernetes.io/metadata.name': namespace, ...others } = spec.namespaceLabels;
      return [
        ...(namespace === undefined || NAMESPACE.test(namespace)
          ? []
          : refuse('is no name of a namespace', namespace, 'lower-case letters, digits and hyphens, at most 63')),
        ...labelProblems(`${path}.namespaceLabels`, others, 'labels'),
        ...labelProblems(`${path}.podLabels`, spec.podLabels ?? {}, 'labels'),
      ];
    }
    const range = rangeOf(spec.cidr);
    if (range === null) return refuse('is no range of addresses', spec.cidr, RANGE);
    if (!beginsRange(range)) return refuse('begins within its range', spec.cidr, `its first address: ${RANGE}`);
    return spec.except
      .filter((one) => !isWithin(one, range))
      .flatMap((one) => refuse('is excepted and no part of its range', one, `a range within ${spec.cidr}`));
  });
}

const RANGE = 'for example 10.0.0.0/8 or fd00::/8';

interface Range {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

function rangeOf(cidr: string): Range | null {
  const [, address = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(cidr) ?? [];
  const family = address.includes('%') ? 0 : isIP(address);
  const prefix = Number(bits);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return null;
  return { address, family: family === 4 ? 'ipv4' : 'ipv6', prefix };
}

/** No bit is set behind the prefix: the API server takes no other. */
function beginsRange({ address, family, prefix }: Range): boolean {
  const length = family === 'ipv4' ? 32n : 128n;
  return (numberOf(address, family) & ((1n << (length - BigInt(prefix))) - 1n)) === 0n;
}

function numberOf(address: string, family: Range['family']): bigint {
  if (family === 'ipv4') return address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  // Addresses of IPv4 in it are written out.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** Strictly: the API server takes no exception as large as its range. */
function isWithin(cidr: string, { address, family, prefix }: Range): boolean {
  const inner = rangeOf(cidr);
  if (inner === null || inner.family !== family || inner.prefix <= prefix || !beginsRange(inner)) return false;
  const outer = new BlockList();
  outer.addSubnet(address, prefix, family);
  return outer.check(inner.address, family);
}

/** An address of HTTP without credentials, which would lie open in a ConfigMap. */
export function isWebAddress(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** The port of an address; 443 or 80 where it names none. */
export function portOf(url: string): number {
  if (!URL.canParse(url)) return 443;
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
}
