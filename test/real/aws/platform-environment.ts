/** The example environment as somebody would make it their own: the models they have, their secrets, their address of PagerDuty. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse, stringify } from 'yaml';
import { prepare, REFERENCE_FILE } from '../../../examples/flight-delay/prepare.ts';
import { CHECKOUT, MLMON, run } from '../programs.ts';
import { MODEL, MONITOR, referenceCsv } from './checkout-traffic.ts';
import type { EarlierCheckout } from './earlier-checkout.ts';
import { ACCOUNT, type Emulator, REGION } from './emulator.ts';
import type { Receivers } from './receivers.ts';

export const STACK = 'ModelMonitoring-production';

export class PlatformEnvironment {
  /** Holds `environments/`, `monitors/` and what commands write. */
  readonly folder: string;
  readonly #emulator: Emulator;
  readonly #checkout: string;
  readonly #context: readonly string[];

  /**
   * @param checkout whose code is deployed, and whose example is made one's own
   * @param context for the command line of the CDK
   */
  constructor(folder: string, emulator: Emulator, checkout = CHECKOUT, context: readonly string[] = []) {
    this.folder = folder;
    this.#emulator = emulator;
    this.#checkout = checkout;
    this.#context = context;
  }

  get outputs(): string {
    return join(this.folder, 'outputs.json');
  }

  /** Writes monitors with their baselines, and the environment `production` made of that of the checkout. */
  async write(
    receivers: Receivers,
    senders: readonly object[],
    models: readonly ('flight-delay' | typeof MODEL)[],
  ): Promise<void> {
    const monitors = join(this.folder, 'monitors');
    await mkdir(monitors, { recursive: true });
    await mkdir(join(this.folder, 'environments'), { recursive: true });
    if (models.includes(MODEL)) {
      const reference = join(this.folder, 'reference.csv');
      await writeFile(reference, referenceCsv(Date.UTC(2001, 0, 1), 28 * 24));
      // What the monitor names does not exist yet.
      await writeFile(join(monitors, `${MODEL}.yaml`), MONITOR);
      await this.#profile(reference, `${MODEL}.yaml`, `${MODEL}-baseline.json`);
    }
    if (models.includes('flight-delay')) {
      await prepare(this.folder, () => undefined);
      const monitor = await readFile(join(CHECKOUT, 'examples/flight-delay/monitor.yaml'), 'utf8');
      await writeFile(
        join(monitors, 'flight-delay.yaml'),
        `${monitor}baseline: { from: flight-delay-baseline.json }\n`,
      );
      await this.#profile(join(this.folder, REFERENCE_FILE), 'flight-delay.yaml', 'flight-delay-baseline.json');
    }
    const environment = parse(await readFile(join(this.#checkout, 'environments/production.yaml'), 'utf8')) as {
      models: string[];
      grafana?: object;
      senders?: readonly object[];
      alerting: { channels: { type: string; url?: string }[] };
    };
    environment.models = ['../monitors'];
    // Nobody listens behind the workspaces of the emulator: grafana.real.test.ts brings a Grafana.
    if (environment.grafana !== undefined) environment.grafana = { type: 'none' };
    environment.senders = senders;
    for (const channel of environment.alerting.channels)
      if (channel.type === 'pagerduty') channel.url = `${receivers.url}/v2/enqueue`;
    await writeFile(join(this.folder, 'environments/production.yaml'), stringify(environment));
  }

  /** The secrets that the environment names. */
  async makeSecrets(receivers: Receivers): Promise<void> {
    const client = new SecretsManagerClient({
      endpoint: this.#emulator.endpoint,
      region: REGION,
      credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'emulator' },
    });
    for (const [Name, SecretString] of [
      ['model-monitoring/slack', `${receivers.url}/slack`],
      ['model-monitoring/pagerduty', 'routing-key-of-the-test'],
    ])
      await client.send(new CreateSecretCommand({ Name, SecretString }));
    client.destroy();
  }

  /** The same environment, deployed with the code of another checkout. */
  of({ folder, context }: EarlierCheckout): PlatformEnvironment {
    return new PlatformEnvironment(this.folder, this.#emulator, folder, context);
  }

  /** The plain command line, from the checkout. */
  cdk(command: string, ...more: string[]): ReturnType<typeof run> {
    return this.#emulator.cdk(
      [
        command,
        ...['-c', `environments=${join(this.folder, 'environments')}`, '-c', 'environment=production'],
        ...this.#context,
        ...['--output', join(this.folder, 'cdk.out')],
        ...more,
      ],
      this.#checkout,
    );
  }

  deploy(...more: string[]): ReturnType<typeof run> {
    return this.cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', this.outputs, ...more);
  }

  /** What `cdk synth` left, without another synthesis: the change itself and nothing before. */
  deployAssembly(...more: string[]): ReturnType<typeof run> {
    return this.#emulator.cdk(
      [
        ...['deploy', '--app', join(this.folder, 'cdk.out'), '--all', '--require-approval', 'never'],
        ...['--outputs-file', this.outputs, ...more],
      ],
      this.folder,
    );
  }

  async #profile(data: string, monitor: string, baseline: string): Promise<void> {
    const monitors = join(this.folder, 'monitors');
    const made = await run(process.execPath, [
      MLMON,
      ...['profile', data, '--monitor', join(monitors, monitor)],
      ...['-o', join(monitors, baseline), '--model-version', '1'],
    ]);
    if (made.code !== 0) throw new Error(`mlmon profile: ${made.err}`);
  }
}
