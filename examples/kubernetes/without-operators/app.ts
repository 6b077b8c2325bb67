/** A cluster without operators: a Prometheus and a Grafana that read files. `npx cdk8s synth --app "npx tsx examples/kubernetes/without-operators/app.ts"` */
import { join } from 'node:path';
import { App } from 'cdk8s';
import {
  Grafana,
  Log,
  ModelMonitoringChart,
  Monitor,
  Peer,
  Store,
  Watching,
} from 'ml-monitoring-constructs/kubernetes';

const app = new App({ outdir: process.argv[2] });

new ModelMonitoringChart(app, 'monitoring', {
  createNamespace: true,
  image: 'registry.example.com/ml-monitoring:0.1.0',
  log: Log.kafka({ brokers: ['kafka.kafka.svc:9092'], peers: [Peer.namespace('kafka')] }),
  store: Store.s3({ bucket: 'ml-monitoring', region: 'eu-central-1' }),
  // The account of each part is bound to a role of the cloud; no key is kept anywhere.
  serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/ml-monitoring' },
  monitors: Monitor.fromFolder(join(import.meta.dirname, '../monitors')),
  // A ConfigMap `mlmon-prometheus` with rules and scrape configuration, and annotations on the pods.
  watching: Watching.files(),
  grafana: Grafana.sidecar(),
});

app.synth();
