/** The Kafka client, an optional dependency, loaded where it is used. */
import { ProblemError } from '../../contracts/problem.ts';
import { decodeFramedSnappy } from './snappy-framing.ts';

export type KafkaPackage = typeof import('@platformatic/kafka');

const PACKAGE = '@platformatic/kafka';

/** @throws ProblemError when the package is missing */
export async function loadKafka(
  load: () => Promise<KafkaPackage> = () => import('@platformatic/kafka'),
): Promise<KafkaPackage> {
  try {
    const loaded = await load();
    mendSnappy(loaded);
    return loaded;
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ProblemError([
      {
        code: 'missing-dependency',
        path: PACKAGE,
        message: `the optional package that speaks to Kafka cannot be loaded (${detail})`,
        fix: `run \`npm install ${PACKAGE}@1\`; it is plain JavaScript and needs Node 20.19 or later`,
      },
    ]);
  }
}

const mended = new WeakSet<object>();

/** The client reads no frames of snappy-java: its table of codecs is given one that does. */
function mendSnappy({ compressionsAlgorithms }: KafkaPackage): void {
  const { snappy } = compressionsAlgorithms;
  if (mended.has(snappy)) return;
  mended.add(snappy);
  const bare = snappy.decompressSync;
  Object.assign(snappy, {
    decompressSync: (data: Parameters<typeof bare>[0]) =>
      decodeFramedSnappy(Buffer.isBuffer(data) ? data : data.buffer, bare),
  });
}
