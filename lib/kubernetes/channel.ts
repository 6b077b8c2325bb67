/** Where alerts of models are delivered by the notifier. What is secret about a receiver is a key of a Secret. */
import { type Problem, shown } from '../contracts/problem.ts';
import { PATHS } from './defaults.ts';
import { isWebAddress, portOf } from './object-rules.ts';
import { Peer } from './peer.ts';
import { type SecretKey, secretFile } from './secret-key.ts';

export interface ChannelOptions {
  /** In routes and in the record of deliveries. @default its kind */
  readonly name?: string;
  /** Where the receiver is, for network policies. @default anywhere, at port 443 */
  readonly peers?: readonly Peer[];
}

export interface RegionalChannelOptions extends ChannelOptions {
  /** Address of the service. @default the public one, in the United States */
  readonly url?: string;
}

export interface WebhookOptions extends ChannelOptions {
  /** Key that signs the body. @default not signed */
  readonly signingKey?: SecretKey;
  /** Port of the address, for network policies. @default 443 */
  readonly port?: number;
}

export interface AlertmanagerOptions extends ChannelOptions {
  /** With `password`. @default none */
  readonly username?: string;
  /** @default none */
  readonly password?: SecretKey;
  /** A bearer token. @default none */
  readonly token?: SecretKey;
  /** PEM of the authority of its certificate. @default the system's authorities */
  readonly ca?: SecretKey;
  /** Labels of every alert, for routes: `{ namespace: 'ml-monitoring' }` where AlertmanagerConfig objects route. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Address of Grafana, for links. @default none */
  readonly dashboards?: string;
}

/** Made by its factories. */
export class Channel {
  /** An incoming webhook of Slack; the secret holds its address. */
  static slack(url: SecretKey, options: ChannelOptions = {}): Channel {
    return new Channel('slack', { urlFile: secretFile(url) }, [url], options);
  }

  /** A workflow of Microsoft Teams; the secret holds its address. */
  static teams(url: SecretKey, options: ChannelOptions = {}): Channel {
    return new Channel('teams', { urlFile: secretFile(url) }, [url], options);
  }

  /** Events API v2 of PagerDuty; the secret holds the routing key. */
  static pagerDuty(routingKey: SecretKey, options: RegionalChannelOptions = {}): Channel {
    return new Channel(
      'pagerduty',
      { routingKeyFile: secretFile(routingKey), ...address(options) },
      [routingKey],
      options,
      portsOf(options),
    );
  }

  /** Opsgenie, or Jira Service Management with its address as `url`; the secret holds the key of the integration. */
  static opsgenie(key: SecretKey, options: RegionalChannelOptions = {}): Channel {
    return new Channel('opsgenie', { keyFile: secretFile(key), ...address(options) }, [key], options, portsOf(options));
  }

  /** Any HTTPS endpoint; the secret holds its address. */
  static webhook(url: SecretKey, options: WebhookOptions = {}): Channel {
    const { signingKey, port = 443 } = options;
    return new Channel(
      'webhook',
      { urlFile: secretFile(url), ...(signingKey === undefined ? {} : { secretFile: secretFile(signingKey) }) },
      [url, ...(signingKey === undefined ? [] : [signingKey])],
      options,
      [port],
    );
  }

  /**
   * Alertmanager tells people of open episodes, by its own routes and silences; the notifier then tells nobody itself. `urls`: every member.
   */
  static alertmanager(urls: readonly string[], options: AlertmanagerOptions = {}): Channel {
    const { username, password, token, ca, labels, dashboards } = options;
    const files = { passwordFile: password, tokenFile: token, caFile: ca };
    const given = Object.entries(files).flatMap(([name, key]) => (key === undefined ? [] : [[name, key] as const]));
    return new Channel(
      'alertmanager',
      {
        urls: [...urls],
        ...(username === undefined ? {} : { username }),
        ...(dashboards === undefined ? {} : { dashboards }),
        ...(labels === undefined ? {} : { labels: { ...labels } }),
        ...Object.fromEntries(given.map(([name, key]) => [name, secretFile(key)])),
      },
      given.map(([, key]) => key),
      options,
      urls.map(portOf),
    );
  }

  readonly kind: string;
  readonly name: string;
  readonly secrets: readonly SecretKey[];
  readonly peers: readonly Peer[];
  /** Of its addresses, each once. */
  readonly ports: readonly number[];
  /** As the notifier reads it. */
  readonly config: Readonly<Record<string, unknown>>;

  private constructor(
    kind: string,
    config: Readonly<Record<string, unknown>>,
    secrets: readonly SecretKey[],
    options: ChannelOptions,
    ports: readonly number[] = [443],
  ) {
    this.kind = kind;
    this.name = options.name ?? kind;
    this.secrets = secrets;
    this.peers = options.peers ?? [Peer.anywhere()];
    this.ports = [...new Set(ports)];
    this.config = { type: kind, ...(options.name === undefined ? {} : { name: options.name }), ...config };
  }

  /** What the notifier would not begin with. @internal */
  problems(): Problem[] {
    const { urls, url, username, passwordFile, tokenFile, labels, dashboards } = this.config;
    const problems: Problem[] = [];
    const refuse = (key: string, message: string, got: unknown, expected: string): void => {
      problems.push({ code: 'channel', path: `channels.${this.name}${key}`, message, got: shown(got), expected });
    };
    for (const port of this.ports)
      if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
        refuse('.port', 'is no port', port, 'a whole number from 1 to 65535');
    for (const [key, one] of Object.entries({ url, dashboards }))
      if (typeof one === 'string' && !isWebAddress(one)) refuse(`.${key}`, 'is no address', one, 'https://…');
    if (!Array.isArray(urls)) return problems;
    if (urls.length === 0 || urls.length > MOST_ALERTMANAGERS)
      refuse('.urls', 'has no number of addresses', urls.length, `1 to ${MOST_ALERTMANAGERS}, one a member`);
    for (const one of urls)
      if (!isWebAddress(one))
        refuse('.urls', 'has no address of Alertmanager', one, 'http://alertmanager-operated.monitoring:9093');
    if ((username === undefined) !== (passwordFile === undefined))
      refuse('', 'has half of a name and its password', username ?? 'password', 'username and password, or neither');
    if (tokenFile !== undefined && passwordFile !== undefined)
      refuse('', 'has two ways to say who calls', ['token', 'password'], 'one of them');
    for (const label of Object.keys(labels ?? {}))
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label))
        refuse('.labels', 'has what is no name of a label', label, 'letters, digits and underscores, no digit first');
    return problems;
  }
}

/** As the notifier takes them. */
const MOST_ALERTMANAGERS = 10;

function portsOf({ url }: RegionalChannelOptions): readonly number[] {
  return [url === undefined ? 443 : portOf(url)];
}

function address({ url }: RegionalChannelOptions): { readonly url?: string } {
  return url === undefined ? {} : { url };
}

/** Where the file of channels lies in the notifier. @internal */
export const CHANNELS_FILE = PATHS.channels;
