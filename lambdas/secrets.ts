/**
 * Secrets, read from Secrets Manager and remembered in memory for at most five minutes, so that a rotated one is known everywhere by then.
 * From half that age on a secret is read again; while Secrets Manager does not answer, the known value serves to its end.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export const SECRET_LIFETIME_MS = 300_000;

/** The text of a secret by its ARN. */
export type FetchSecret = (arn: string) => Promise<string>;

interface Remembered {
  readonly text: string;
  readonly readAt: number;
}

export interface SecretsOptions {
  /** @default Secrets Manager, in the region of the function */
  readonly fetch?: FetchSecret;
  /** Milliseconds, of any origin; never descends. @default performance.now */
  readonly now?: () => number;
}

export class Secrets {
  readonly #fetch: FetchSecret;
  readonly #now: () => number;
  readonly #known = new Map<string, Remembered>();
  readonly #reading = new Map<string, Promise<string>>();

  constructor(options: SecretsOptions = {}) {
    this.#fetch = options.fetch ?? secretsManager();
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * The text of a secret. `notOlderThanMs`: read it again if what is known is older, for a caller whose key was not found in it;
   * one that anybody outside can make happen must leave it some seconds.
   * @throws what Secrets Manager answers, when nothing young enough is known
   */
  async text(arn: string, { notOlderThanMs = SECRET_LIFETIME_MS / 2 } = {}): Promise<string> {
    const known = this.#known.get(arn);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#now() - known.readAt;
    if (known !== undefined && age < notOlderThanMs) return known.text;
    try {
      return await this.#read(arn);
    } catch (error) {
      if (known !== undefined && age < SECRET_LIFETIME_MS) return known.text;
      throw error;
    }
  }

  /** One reading at a time, however many ask. */
  #read(arn: string): Promise<string> {
    let reading = this.#reading.get(arn);
    if (reading === undefined) {
      reading = this.#fetch(arn)
        .then((text) => {
          this.#known.set(arn, { text, readAt: this.#now() });
          return text;
        })
        .finally(() => this.#reading.delete(arn));
      this.#reading.set(arn, reading);
    }
    return reading;
  }
}

function secretsManager(): FetchSecret {
  // Made when first asked: a function that needs no secret makes no client.
  let client: SecretsManagerClient | null = null;
  return async (arn) => {
    client ??= new SecretsManagerClient({});
    const { SecretString, SecretBinary } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    if (SecretString !== undefined) return SecretString;
    if (SecretBinary !== undefined) return Buffer.from(SecretBinary).toString('utf8');
    throw new Error(`${arn}: the secret has no value; put one with \`aws secretsmanager put-secret-value\``);
  };
}
