/** What holds of every set of objects: written from the documents of Kubernetes, not from our constructs. */
import type { K8sObject, PodSpec } from './objects.ts';
import { templates } from './objects.ts';

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** Reasons why the profile "restricted" of Pod Security refuses a pod. */
export function restrictedViolations(pod: PodSpec): string[] {
  const wrong: string[] = [];
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) if (pod[key] === true) wrong.push(key);
  for (const volume of pod.volumes ?? []) {
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
    if (!VOLUMES.includes(kind)) wrong.push(`volume ${kind}`);
  }
  const ofPod = pod.securityContext ?? {};
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const say = (what: string): void => {
      wrong.push(`${container.name}: ${what}`);
    };
    const own = container.securityContext ?? {};
    const effective = (key: string): unknown => own[key] ?? ofPod[key];
    if (own['privileged'] === true) say('privileged');
    if (own['allowPrivilegeEscalation'] !== false) say('allowPrivilegeEscalation');
    if (effective('runAsNonRoot') !== true) say('runAsNonRoot');
    if (effective('runAsUser') === 0) say('runAsUser 0');
    const seccomp = effective('seccompProfile') as { type?: string } | undefined;
    if (!['RuntimeDefault', 'Localhost'].includes(seccomp?.type ?? '')) say('seccompProfile');
    const capabilities = own['capabilities'] as { drop?: string[]; add?: string[] } | undefined;
    if (!(capabilities?.drop ?? []).includes('ALL')) say('capabilities.drop');
    if ((capabilities?.add ?? []).some((one) => one !== 'NET_BIND_SERVICE')) say('capabilities.add');
    for (const port of container.ports ?? []) if ('hostPort' in port) say('hostPort');
  }
  return wrong;
}

/** Beyond "restricted": what our own containers keep to. */
export function hardeningViolations(pod: PodSpec): string[] {
  const wrong: string[] = [];
  if (pod.automountServiceAccountToken !== false) wrong.push('service-account token');
  if (pod.enableServiceLinks !== false) wrong.push('service links');
  if (pod.serviceAccountName === undefined || pod.serviceAccountName === 'default') wrong.push('service account');
  if ((pod.terminationGracePeriodSeconds ?? 30) < 50) wrong.push('termination grace');
  for (const volume of pod.volumes ?? []) {
    const empty = volume['emptyDir'] as { sizeLimit?: string } | undefined;
    if (empty !== undefined && empty.sizeLimit === undefined) wrong.push(`${String(volume['name'])}: no size`);
  }
  for (const container of pod.containers) {
    const own = container.securityContext ?? {};
    if (own['readOnlyRootFilesystem'] !== true) wrong.push(`${container.name}: writable root`);
    if (Number(own['runAsUser']) <= 10_000 || Number(own['runAsGroup']) <= 10_000)
      wrong.push(`${container.name}: low user`);
    const { requests = {}, limits = {} } = container.resources ?? {};
    for (const kind of ['cpu', 'memory', 'ephemeral-storage'])
      if (requests[kind] === undefined) wrong.push(`${container.name}: no request of ${kind}`);
    for (const kind of ['memory', 'ephemeral-storage'])
      if (limits[kind] === undefined) wrong.push(`${container.name}: no limit of ${kind}`);
    if ((container.env ?? []).length > 0) wrong.push(`${container.name}: environment variables`);
    const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((kind) => JSON.stringify(container[kind]));
    if (probes.includes(undefined as unknown as string) || new Set(probes).size !== 3)
      wrong.push(`${container.name}: probes`);
    for (const mount of container.volumeMounts ?? [])
      if (mount.readOnly !== true && !/^\/(?:tmp|var\/lib\/mlmon\/spool)$/.test(mount.mountPath))
        wrong.push(`${container.name}: ${mount.mountPath} is writable`);
  }
  return wrong;
}

/** ConfigMaps, accounts and volumes that are named and not there. Secrets are declared to be somebody else's: they are returned apart. */
export function references(objects: readonly K8sObject[]): { readonly missing: string[]; readonly secrets: string[] } {
  const there = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`));
  const missing: string[] = [];
  const secrets = new Set<string>();
  for (const { object, template } of templates(objects)) {
    const namespace = object.metadata.namespace ?? '';
    const need = (kind: string, name: string, keys: readonly string[] = []): void => {
      if (!there.has(`${kind}/${namespace}/${name}`)) missing.push(`${object.metadata.name} → ${kind}/${name}`);
      const data = objects.find((other) => other.kind === kind && other.metadata.name === name)?.data ?? {};
      for (const key of keys) if (!(key in data)) missing.push(`${object.metadata.name} → ${kind}/${name}: ${key}`);
    };
    const { spec } = template;
    if (spec.serviceAccountName !== undefined) need('ServiceAccount', spec.serviceAccountName);
    const volumes = new Set<unknown>();
    const keysOf = (items: unknown): string[] => ((items ?? []) as { key: string }[]).map(({ key }) => key);
    for (const volume of spec.volumes ?? []) {
      if (volumes.has(volume['name'])) missing.push(`${object.metadata.name}: two volumes ${String(volume['name'])}`);
      volumes.add(volume['name']);
      const configMap = volume['configMap'] as { name: string; items?: unknown } | undefined;
      if (configMap !== undefined) need('ConfigMap', configMap.name, keysOf(configMap.items));
      const projected = volume['projected'] as
        | { sources: { configMap?: { name: string; items?: unknown } }[] }
        | undefined;
      for (const { configMap: one } of projected?.sources ?? [])
        if (one !== undefined) need('ConfigMap', one.name, keysOf(one.items));
      const secret = volume['secret'] as { secretName: string } | undefined;
      if (secret !== undefined) secrets.add(secret.secretName);
    }
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      const paths = new Set<string>();
      for (const { name, mountPath } of container.volumeMounts ?? []) {
        if (!volumes.has(name)) missing.push(`${object.metadata.name}: no volume ${name}`);
        if (paths.has(mountPath)) missing.push(`${object.metadata.name}: two mounts at ${mountPath}`);
        paths.add(mountPath);
      }
    }
  }
  return { missing, secrets: [...secrets].sort() };
}

/** Selectors that select nothing: of Services, policies, budgets, monitors, autoscalers. */
export function danglingSelectors(objects: readonly K8sObject[]): string[] {
  const pods = templates(objects).map(({ object, template }) => ({ object, labels: template.metadata.labels }));
  const services = objects.filter(({ kind }) => kind === 'Service');
  const wrong: string[] = [];
  const matches = (labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>>): boolean =>
    Object.entries(selector).every(([key, value]) => labels[key] === value);
  for (const object of objects) {
    const { spec = {}, kind } = object;
    const say = (): void => {
      wrong.push(`${kind}/${object.metadata.name}`);
    };
    if (kind === 'Service') {
      const chosen = pods.filter(({ labels }) => matches(labels, spec['selector'] as Record<string, string>));
      if (chosen.length === 0) say();
      for (const { targetPort } of spec['ports'] as { targetPort: string }[])
        for (const { object: owner } of chosen) {
          const { template } = templates([owner])[0]!;
          const ports = template.spec.containers.flatMap((container) => container.ports ?? []);
          if (!ports.some(({ name }) => name === targetPort))
            wrong.push(`${kind}/${object.metadata.name}: ${targetPort}`);
        }
    }
    const matchLabels =
      kind === 'NetworkPolicy'
        ? (spec['podSelector'] as { matchLabels: Record<string, string> }).matchLabels
        : ['PodDisruptionBudget', 'Deployment', 'PodMonitor'].includes(kind)
          ? (spec['selector'] as { matchLabels: Record<string, string> }).matchLabels
          : undefined;
    if (
      matchLabels !== undefined &&
      !('mlmon/sidecar' in matchLabels) &&
      !pods.some(({ labels }) => matches(labels, matchLabels))
    )
      say();
    if (kind === 'ServiceMonitor') {
      const selector = (spec['selector'] as { matchLabels: Record<string, string> }).matchLabels;
      if (!services.some(({ metadata }) => matches(metadata.labels ?? {}, selector))) say();
    }
    if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject') {
      const { name } = spec['scaleTargetRef'] as { name: string };
      const target = objects.find((other) => other.kind === 'Deployment' && other.metadata.name === name);
      if (target === undefined || target.spec?.['replicas'] !== undefined) say();
    }
  }
  return wrong;
}

/** What the API server would refuse of names and sizes. */
export function namingViolations(objects: readonly K8sObject[]): string[] {
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const { kind, apiVersion, metadata, data } of objects) {
    const id = `${apiVersion}/${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
    if (seen.has(id)) wrong.push(`${id}: twice`);
    seen.add(id);
    // Names of ConfigMaps may be as long as a domain; all others become labels somewhere.
    const longest = kind === 'ConfigMap' ? 253 : 63;
    if (metadata.name.length > longest || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name))
      wrong.push(`${id}: name`);
    for (const [key, value] of Object.entries(metadata.labels ?? {}))
      if (value.length > 63 || !/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value))
        wrong.push(`${id}: label ${key}`);
    const bytes = Object.values(data ?? {}).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > 1_048_576) wrong.push(`${id}: ${bytes} bytes`);
  }
  return wrong;
}
