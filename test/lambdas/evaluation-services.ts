/** What dispatcher and exporter write to, on one free port: a queue of SQS, PutMetricData of CloudWatch, a receiver of remote write. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EvaluationMessage } from '../../lib/contracts/functions.ts';
import { type DecodedSeries, decodeWriteRequest, unsnappy } from '../adapters/remote-write/decoding.ts';

export interface EvaluationServices {
  readonly url: string;
  /** Messages that were sent, oldest first. */
  readonly messages: EvaluationMessage[];
  readonly series: DecodedSeries[];
  /** Requests of CloudWatch. */
  puts: number;
  close(): Promise<void>;
}

export async function startEvaluationServices(): Promise<EvaluationServices> {
  const messages: EvaluationMessage[] = [];
  const series: DecodedSeries[] = [];
  const counts = { puts: 0 };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (request.url === '/api/v1/write') {
        series.push(...decodeWriteRequest(unsnappy(body)));
        response.writeHead(204).end();
      } else if (request.headers['x-amz-target'] === 'AmazonSQS.SendMessageBatch') {
        const { Entries } = JSON.parse(body.toString()) as { Entries: { Id: string; MessageBody: string }[] };
        const Successful = Entries.map(({ Id, MessageBody }) => {
          messages.push(JSON.parse(MessageBody) as EvaluationMessage);
          return { Id, MessageId: Id, MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
        });
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify({ Successful }));
      } else if (String(request.headers['x-amz-target']).endsWith('.PutMetricData')) {
        counts.puts++;
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
      } else response.writeHead(400).end(`${request.method} ${request.url}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    series,
    get puts() {
      return counts.puts;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
