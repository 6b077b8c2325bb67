/** The cdk8s app: the chart of a YAML file, `environments/kubernetes/example.yaml` when none is named; written to `dist/` or $CDK8S_OUTDIR. */
import { App } from 'cdk8s';
import { ProblemError } from '../lib/contracts/problem.ts';
import { ModelMonitoringChart } from '../lib/kubernetes/model-monitoring-chart.ts';
import { readSettings } from '../lib/kubernetes/read-settings.ts';

try {
  const app = new App();
  new ModelMonitoringChart(app, 'monitoring', readSettings(process.argv[2] ?? 'environments/kubernetes/example.yaml'));
  app.synth();
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  // The messages say where and what to do; a stack of calls would only hide them.
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
