/** Posts alerts to the interface of Alertmanager, version 2, over HTTP or HTTPS, with whatever it asks callers to show. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TransientError } from '../../pipeline/ports.ts';

/** One alert as Alertmanager takes it. Times are RFC 3339. */
export interface PostedAlert {
  /** They are its identity: equal labels are one alert. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** In the past: resolved. In the future: until then, unless it is told again. */
  readonly endsAt: string;
  readonly generatorURL?: string;
}

export interface AlertmanagerAccess {
  readonly basic?: { readonly username: string; readonly password: string };
  /** Bearer token. */
  readonly token?: string;
  /** PEM: authorities, and a certificate of our own with its key. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Milliseconds. @default 10000 */
  readonly timeout?: number;
}

const EXCERPT = 200;
const AGAIN = [408, 425, 429];

/**
 * @throws TransientError on 408, 425, 429, 5xx, a time-out or a broken connection; Error on any other answer but 2xx. The address is not shown:
 * it may hold a password.
 */
export async function postAlerts(
  url: string,
  alerts: readonly PostedAlert[],
  access: AlertmanagerAccess = {},
): Promise<void> {
  const { status, text } = await send(new URL('api/v2/alerts', url.endsWith('/') ? url : `${url}/`), alerts, access);
  if (status >= 200 && status < 300) return;
  const message = `alertmanager: answered ${status}${text === '' ? '' : ` ${JSON.stringify(text)}`}`;
  if (AGAIN.includes(status) || status >= 500) throw new TransientError(message);
  throw new Error(message);
}

function send(
  url: URL,
  alerts: readonly PostedAlert[],
  { basic, token, ca, certificate, key, timeout = 10_000 }: AlertmanagerAccess,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = Buffer.from(JSON.stringify(alerts));
  const authorization =
    token !== undefined
      ? `Bearer ${token}`
      : basic !== undefined
        ? `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`
        : undefined;
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'mlmon',
      ...(authorization === undefined ? {} : { authorization }),
    },
    signal: AbortSignal.timeout(timeout),
  };
  return new Promise((settle, fail) => {
    const broken = (error: Error): void => fail(new TransientError(`alertmanager: no answer: ${error.message}`));
    const call =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ca, cert: certificate, key })
        : requestHttp(url, options);
    call.on('error', broken);
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < EXCERPT) text += chunk.slice(0, EXCERPT - text.length);
      });
      response.on('error', broken);
      response.on('end', () => settle({ status: response.statusCode ?? 0, text: text.trim() }));
    });
    call.end(body);
  });
}
