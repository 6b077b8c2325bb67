/** A control plane of Kubernetes on this machine: real API server, controllers and scheduler; kwok plays the nodes, so that containers do not run. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { endAll, eventually, freePort, Program, run } from '../real/programs.ts';

const bin = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools/cluster');

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class ControlPlane {
  readonly folder = mkdtempSync(join(tmpdir(), 'mlmon-cluster-'));
  readonly #kubeconfig = join(this.folder, 'kubeconfig');

  static async start(): Promise<ControlPlane> {
    const plane = new ControlPlane();
    try {
      await plane.#start();
    } catch (error) {
      plane.stop();
      throw error;
    }
    return plane;
  }

  async #start(): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    const [etcd, peer, api, controllers, scheduler, kwok] = await Promise.all(Array.from({ length: 6 }, freePort));
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    writeFileSync(at('sa.pub'), keys.publicKey);
    writeFileSync(at('sa.key'), keys.privateKey);
    // It lives as long as the folder, and listens on this machine alone.
    writeFileSync(at('tokens.csv'), 'of-the-test,admin,1,"system:masters"\n');
    writeFileSync(
      this.#kubeconfig,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'here',
        clusters: [{ name: 'here', cluster: { server: `https://127.0.0.1:${api}`, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'admin', user: { token: 'of-the-test' } }],
        contexts: [{ name: 'here', context: { cluster: 'here', user: 'admin' } }],
      }),
    );
    const start = (name: string, argv: readonly string[]): Program =>
      new Program(join(bin, name), argv, { cwd: this.folder });
    start('etcd', [
      ...['--data-dir', at('etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', `http://127.0.0.1:${etcd}`, '--advertise-client-urls', `http://127.0.0.1:${etcd}`],
      ...[
        '--listen-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peer}`,
      ],
      ...['--initial-cluster', `default=http://127.0.0.1:${peer}`],
    ]);
    const server = start('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      ...['--bind-address=127.0.0.1', `--secure-port=${api}`, `--cert-dir=${at('certs')}`],
      ...['--service-cluster-ip-range=10.96.0.0/24', '--service-account-issuer=https://kubernetes.default.svc'],
      ...[`--service-account-key-file=${at('sa.pub')}`, `--service-account-signing-key-file=${at('sa.key')}`],
      ...[`--token-auth-file=${at('tokens.csv')}`, '--authorization-mode=RBAC', '--endpoint-reconciler-type=none'],
    ]);
    await eventually(
      async () =>
        server.running
          ? this.kubectl(['get', '--raw', '/readyz'])
          : Promise.reject(new Error(server.err.slice(-2_000))),
      ({ out }) => out === 'ok',
    );
    start('kube-controller-manager', [
      ...[`--kubeconfig=${this.#kubeconfig}`, `--service-account-private-key-file=${at('sa.key')}`],
      ...['--leader-elect=false', '--bind-address=127.0.0.1', `--secure-port=${controllers}`],
    ]);
    start('kube-scheduler', [
      ...[
        `--kubeconfig=${this.#kubeconfig}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--secure-port=${scheduler}`,
      ],
    ]);
    writeFileSync(
      at('stages.yaml'),
      ['node', 'pod'].map((kind) => readFileSync(join(bin, `stages/${kind}.yaml`), 'utf8')).join('---\n'),
    );
    start('kwok', [
      ...[`--kubeconfig=${this.#kubeconfig}`, `--config=${at('stages.yaml')}`, '--manage-all-nodes=false'],
      ...['--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake', '--node-lease-duration-seconds=40'],
      `--server-address=127.0.0.1:${kwok}`,
    ]);
    const capacity = { cpu: '16', memory: '64Gi', 'ephemeral-storage': '200Gi', pods: '110' };
    await this.apply(
      ['a', 'b', 'c'].map((zone) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: `node-${zone}`,
          annotations: { 'kwok.x-k8s.io/node': 'fake' },
          labels: { 'kubernetes.io/hostname': `node-${zone}`, 'topology.kubernetes.io/zone': zone },
        },
        status: { allocatable: capacity, capacity },
      })),
    );
    await eventually(
      () => this.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}']),
      ({ out }) => out === 'True True True',
    );
    const kinds = await this.kubectl(['apply', '--server-side', '-f', join(bin, 'crds')]);
    if (kinds.code !== 0) throw new Error(kinds.err);
    const established = await this.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    if (established.code !== 0) throw new Error(established.err);
  }

  kubectl(argv: readonly string[]): Promise<Answer> {
    return run(join(bin, 'kubectl'), [...argv], { env: { KUBECONFIG: this.#kubeconfig } });
  }

  /** Strictly, as `kubectl apply --server-side` does it: a field that is not known is an error. */
  async apply(objects: readonly unknown[], ...more: readonly string[]): Promise<Answer> {
    const file = join(this.folder, 'objects.yaml');
    writeFileSync(
      file,
      objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n'),
    );
    return this.kubectl(['apply', '--server-side', '--validate=strict', '-f', file, ...more]);
  }

  /** One object as JSON. */
  async get<T>(kind: string, name: string, namespace: string): Promise<T> {
    const { code, out, err } = await this.kubectl(['-n', namespace, 'get', kind, name, '-o', 'json']);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  }

  stop(): void {
    endAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
