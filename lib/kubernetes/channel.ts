/** Where alerts of models are delivered by the notifier. What is secret about a receiver is a key of a Secret. */
import { PATHS } from './defaults.ts';
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
    );
  }

  /** Opsgenie, or Jira Service Management with its address as `url`; the secret holds the key of the integration. */
  static opsgenie(key: SecretKey, options: RegionalChannelOptions = {}): Channel {
    return new Channel('opsgenie', { keyFile: secretFile(key), ...address(options) }, [key], options);
  }

  /** Any HTTPS endpoint; the secret holds its address. */
  static webhook(url: SecretKey, options: WebhookOptions = {}): Channel {
    const { signingKey, port = 443 } = options;
    return new Channel(
      'webhook',
      { urlFile: secretFile(url), ...(signingKey === undefined ? {} : { secretFile: secretFile(signingKey) }) },
      [url, ...(signingKey === undefined ? [] : [signingKey])],
      options,
      port,
    );
  }

  readonly kind: string;
  readonly name: string;
  readonly secrets: readonly SecretKey[];
  readonly peers: readonly Peer[];
  readonly port: number;
  /** As the notifier reads it. */
  readonly config: Readonly<Record<string, string>>;

  private constructor(
    kind: string,
    config: Readonly<Record<string, string>>,
    secrets: readonly SecretKey[],
    options: ChannelOptions,
    port = 443,
  ) {
    this.kind = kind;
    this.name = options.name ?? kind;
    this.secrets = secrets;
    this.peers = options.peers ?? [Peer.anywhere()];
    this.port = port;
    this.config = { type: kind, ...(options.name === undefined ? {} : { name: options.name }), ...config };
  }
}

function address({ url }: RegionalChannelOptions): { readonly url?: string } {
  return url === undefined ? {} : { url };
}

/** Where the file of channels lies in the notifier. @internal */
export const CHANNELS_FILE = PATHS.channels;
