/** A cluster with kube-prometheus-stack and Strimzi: `npx cdk8s synth --app "npx tsx examples/kubernetes/kube-prometheus-stack/app.ts"` */
import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import {
  addSidecar,
  Channel,
  ModelMonitoringChart,
  Monitor,
  Peer,
  Scaling,
  Store,
  StrimziKafka,
  Watching,
} from 'ml-monitoring-constructs/kubernetes';

const app = new App({ outdir: process.argv[2] });
const monitors = Monitor.fromFolder(join(import.meta.dirname, '../monitors'));
const kafka = new StrimziKafka(new Chart(app, 'kafka', { disableResourceNameHashes: true }), 'Kafka');

const monitoring = new ModelMonitoringChart(app, 'monitoring', {
  createNamespace: true,
  image: 'registry.example.com/ml-monitoring:0.1.0',
  log: kafka.log,
  store: Store.s3({
    bucket: 'ml-monitoring',
    endpoint: 'https://s3.storage.svc:9000',
    accessKeyId: { secret: 'mlmon-store', key: 'accessKeyId' },
    secretAccessKey: { secret: 'mlmon-store', key: 'secretAccessKey' },
    peers: [Peer.namespace('storage')],
  }),
  monitors,
  channels: [Channel.slack({ secret: 'mlmon-channels', key: 'slack' })],
  // The stack finds only what carries the name of its release.
  watching: Watching.operator({ labels: { release: 'kube-prometheus-stack' } }),
  profilers: Scaling.lag({ minimum: 2 }),
  clients: [Peer.namespace('serving')],
});

// A model server of yours, with the sidecar in front of it: Services then point at the port of the sidecar, 8090.
const serving = new Chart(app, 'serving', { namespace: 'serving', disableResourceNameHashes: true });
const model = new ApiObject(serving, 'model', {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'flight-delay' },
  spec: {
    selector: { matchLabels: { app: 'flight-delay' } },
    template: {
      metadata: { labels: { app: 'flight-delay' } },
      spec: {
        containers: [{ name: 'model', image: 'registry.example.com/flight-delay:7', ports: [{ containerPort: 8080 }] }],
      },
    },
  },
});
addSidecar(model, {
  collector: monitoring.collector.url,
  monitors,
  image: 'registry.example.com/ml-monitoring:0.1.0',
  token: { secret: 'mlmon-sender', key: 'token' },
  proxyTo: 8080,
});

app.synth();
