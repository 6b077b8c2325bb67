/** The Kafka client, an optional dependency, loaded where it is used. */
import { ProblemError } from '../../contracts/problem.ts';

export type KafkaPackage = typeof import('@platformatic/kafka');

const PACKAGE = '@platformatic/kafka';

/** @throws ProblemError when the package is missing */
export async function loadKafka(
  load: () => Promise<KafkaPackage> = () => import('@platformatic/kafka'),
): Promise<KafkaPackage> {
  try {
    return await load();
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
