/** `mlmon render`: writes what is generated from the sources. */
import { join } from 'node:path';
import { renderAlertmanager } from '../alerts/alertmanager.ts';
import { alarmData } from '../alerts/cloudwatch.ts';
import { EXAMPLE_RECEIVERS } from '../alerts/example-receivers.ts';
import { renderPrometheusRules } from '../alerts/prometheus.ts';
import { renderRunbook } from '../alerts/runbook.ts';
import { renderMetricReference } from '../contracts/metric-reference.ts';
import { monitorJsonSchema } from '../contracts/monitor.ts';
import { outgoingEventJsonSchema } from '../contracts/outgoing-events.ts';
import { cloudWatchBody } from '../dashboards/cloudwatch.ts';
import { EXAMPLE_NAMES } from '../dashboards/example-names.ts';
import { grafanaDashboards } from '../dashboards/grafana.ts';
import { modelsDashboard } from '../dashboards/models.ts';
import { PLATFORM_DASHBOARD } from '../dashboards/platform.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { readOptions } from './options.ts';
import { writeOutput } from './output-file.ts';

interface Artefact {
  readonly file: string;
  render(): string;
}

const MADE = '# Made from the catalogue of alerts by `mlmon render alerts`; change the catalogue, not this file.\n';

const ARTEFACTS: Readonly<Record<string, readonly Artefact[]>> = {
  runbook: [{ file: 'runbook.md', render: renderRunbook }],
  metrics: [{ file: 'metrics.md', render: renderMetricReference }],
  schema: [
    { file: 'monitor.schema.json', render: () => `${JSON.stringify(monitorJsonSchema(), null, 2)}\n` },
    { file: 'events-out.schema.json', render: () => `${JSON.stringify(outgoingEventJsonSchema(), null, 2)}\n` },
  ],
  alerts: [
    {
      file: 'prometheus/alerts.yaml',
      render: () => `${MADE}${renderPrometheusRules({ deployment: 'machines' })}`,
    },
    { file: 'prometheus/alerts-aws.yaml', render: () => `${MADE}${renderPrometheusRules({ deployment: 'aws' })}` },
    { file: 'prometheus/alertmanager.yaml', render: () => `${MADE}${renderAlertmanager(EXAMPLE_RECEIVERS)}` },
    { file: 'cloudwatch/alarms.json', render: () => `${JSON.stringify(alarmData(), null, 2)}\n` },
  ],
  dashboards: [
    ...[PLATFORM_DASHBOARD, modelsDashboard('summary')]
      .filter((dashboard) => dashboard !== null)
      .map((dashboard) => ({
        file: `cloudwatch/${dashboard.key}.json`,
        render: () => `${JSON.stringify(cloudWatchBody(dashboard, EXAMPLE_NAMES), null, 2)}\n`,
      })),
    ...grafanaDashboards().map(({ key, json }) => ({
      file: `grafana/${key}.json`,
      render: () => `${JSON.stringify(JSON.parse(json), null, 2)}\n`,
    })),
  ],
};

const help = `mlmon render: writes generated artefacts

Usage: mlmon render alerts|dashboards|runbook|metrics|schema [-o DIR]
       mlmon render kubernetes FILE [-o DIR]

  alerts         rules for Prometheus (prometheus/alerts.yaml), for Managed Prometheus (prometheus/alerts-aws.yaml),
                 a configuration of Alertmanager to begin with (prometheus/alertmanager.yaml), and CloudWatch alarms
                 as data (cloudwatch/alarms.json)
  dashboards     the Grafana dashboards (grafana/*.json), and the CloudWatch dashboards of platform and models, with
                 names of an example
  runbook        the runbook of all alerts, Markdown
  metrics        the reference of all metrics, Markdown
  schema         the JSON Schema of a monitor, for editors
  kubernetes     the objects of a cluster, from a file of settings; \`mlmon render kubernetes --help\` tells more
  -o, --output   folder to write to; standard output when absent
`;

export const command: Command = {
  name: 'render',
  summary: 'writes generated artefacts',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      { output: { type: 'string', short: 'o' } },
      { least: 1, most: 1, called: 'what' },
    );
    const what = options.words[0] ?? '';
    const artefacts = Object.hasOwn(ARTEFACTS, what) ? ARTEFACTS[what] : undefined;
    if (artefacts === undefined)
      throw wrongUse(what, 'cannot be rendered', `expected one of ${Object.keys(ARTEFACTS).join(', ')}, kubernetes`);
    const output = options.text('output');
    for (const { file, render } of artefacts) {
      if (output === undefined) {
        // Several YAML or JSON documents one after the other, told apart.
        if (artefacts.length > 1) io.stderr.write(`${file}\n`);
        io.stdout.write(render());
        continue;
      }
      const path = join(output, file);
      await writeOutput(io, path, render());
      io.stderr.write(`wrote ${path}\n`);
    }
    return EXIT.nothingFound;
  },
};
