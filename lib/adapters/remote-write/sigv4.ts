/** Signs requests with AWS Signature Version 4: Managed Prometheus takes remote write only so (service `aps`). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignedParts {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Resolves with all headers to send, the given ones included. */
export type RequestSigner = (request: SignedParts) => Promise<Readonly<Record<string, string>>>;

export interface SigV4Options {
  readonly service: string;
  readonly region: string;
  /** Asked for every request: a function's credentials are renewed while it lives. */
  readonly credentials: () => Promise<Credentials>;
}

export function sigV4({ service, region, credentials }: SigV4Options): RequestSigner {
  return async ({ method, url, headers, body }) => {
    const signer = new SignatureV4({ service, region, credentials: await credentials(), sha256: Sha256 });
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
      body,
    });
    // The client writes this one itself.
    const { host, ...rest } = signed.headers as Record<string, string>;
    void host;
    return rest;
  };
}

/** `eu-west-1` of `https://aps-workspaces.eu-west-1.amazonaws.com/…`; `null` for any other address. */
export function regionOfWorkspace(url: string): string | null {
  return /^aps-workspaces\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(new URL(url).hostname)?.[1] ?? null;
}
