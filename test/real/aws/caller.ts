/** Requests of somebody with credentials: the query protocol of older services, and signed requests to the address of a function. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { requestTo } from './deployment.ts';
import { ACCOUNT, type Emulator, REGION } from './emulator.ts';

/** An action of a service that speaks the query protocol. Answers in XML. */
export async function query(
  emulator: Emulator,
  service: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await fetch(emulator.endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20010301/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(parameters).toString(),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${service}, ${parameters['Action']}: ${answer.status} ${text}`);
  return text;
}

/** An action of the stream by HTTP/1: the emulator cuts answers of HTTP/2, which the client speaks, at 64 KiB. */
export async function streamAction<T>(emulator: Emulator, action: string, parameters: object): Promise<T> {
  const answer = await fetch(emulator.endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20010301/${REGION}/kinesis/aws4_request, SignedHeaders=host, Signature=0`,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${action}`,
    },
    body: JSON.stringify(parameters),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Makes a role and takes it, as a service that sends events would. */
export async function assumeNewRole(
  emulator: Emulator,
  name: string,
): Promise<Credentials & { readonly roleArn: string }> {
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
  };
  await query(emulator, 'iam', {
    ...{ Action: 'CreateRole', Version: '2010-05-08', RoleName: name },
    AssumeRolePolicyDocument: JSON.stringify(trust),
  });
  return { roleArn, ...(await assumeRole(emulator, roleArn)) };
}

/** Takes a role that there is. */
export async function assumeRole(emulator: Emulator, roleArn: string): Promise<Credentials> {
  const answer = await query(emulator, 'sts', {
    ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: roleArn, RoleSessionName: 'scoring' },
  });
  const field = (tag: string): string => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(answer)?.[1] ?? '';
  return {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
  };
}

/** Signs as `lambda` and sends. */
export async function signedRequest(
  emulator: Emulator,
  address: string,
  credentials: Credentials,
  { body, contentType }: { readonly body: string; readonly contentType: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, pathname } = new URL(address);
  const signer = new SignatureV4({ service: 'lambda', region: REGION, credentials, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname,
    path: pathname,
    headers: { host: hostname, 'content-type': contentType },
    body,
  });
  return requestTo(emulator, address, { headers, body });
}
