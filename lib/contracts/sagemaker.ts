/**
 * How files of SageMaker Data Capture become events: one mapping for each endpoint (and variant, where variants differ). It travels to the
 * function as JSON in its environment, so it names no secret and stays small.
 */
import { z } from 'zod';
import { EVENT_LIMITS, MODEL_PATTERN } from './event.ts';
import { expectedBy } from './expected.ts';
import { ProblemError, shown } from './problem.ts';

const name = z.string().min(1).max(EVENT_LIMITS.nameLength);

export const sageMakerSourceSchema = z
  .object({
    /** Name of the endpoint: the folder below the destination of the capture. */
    endpoint: z.string().min(1).max(63),
    /** Of one production variant alone. @default every variant that no other mapping names */
    variant: z.string().min(1).max(63).optional(),
    model: z.string().regex(MODEL_PATTERN, 'lower-case letters, digits and inner hyphens, at most 63'),
    /** @default the name of the variant */
    version: z.string().min(1).max(EVENT_LIMITS.idLength).optional(),
    /** Key in the custom attributes of an invocation (`model=7;tenant=eu`) whose value is the version, where there is one. */
    versionAttribute: name.optional(),
    /** Names of features by position, of columns of CSV and of arrays in JSON; `null` leaves one out. @default the order of the monitor's features */
    inputs: z.array(name.nullable()).min(1).max(EVENT_LIMITS.features).optional(),
    /** The first line of CSV holds names. */
    header: z.boolean().default(false),
    /** Member of a JSON request that holds its rows. @default `instances` or `inputs`, or the request itself */
    rows: name.optional(),
    /** Names of outputs by position, of columns of CSV and of arrays in JSON. @default see `output` */
    outputs: z.array(name.nullable()).min(1).max(100).optional(),
    /** What a bare value in a response is. */
    output: z.enum(['predicted', 'score']).default('predicted'),
    /** Name of the output that holds the score. @default score */
    score: name.optional(),
    /** Name of the output that holds the prediction. @default predicted */
    predicted: name.optional(),
  })
  .strict();
export type SageMakerSource = z.output<typeof sageMakerSourceSchema>;
/** As its author writes it. */
export type SageMakerSourceInput = z.input<typeof sageMakerSourceSchema>;

/** The environment of a function holds 4 kB in all. */
const LONGEST = 3_000;

/** @throws ProblemError naming all that is wrong, two mappings of the same files included */
export function parseSageMakerSources(value: unknown): SageMakerSource[] {
  const parsed = z.array(sageMakerSourceSchema).min(1).safeParse(value);
  if (!parsed.success)
    throw new ProblemError(
      parsed.error.issues.map((issue) => ({
        code: 'sagemaker-source',
        path: `sources.${issue.path.map(String).join('.')}`,
        message: 'is not valid',
        expected: expectedBy(issue),
      })),
    );
  const seen = new Set<string>();
  for (const [i, { endpoint, variant }] of parsed.data.entries()) {
    const files = `${endpoint}/${variant ?? '*'}`;
    if (seen.has(files))
      throw new ProblemError([
        {
          code: 'sagemaker-source-twice',
          path: `sources.${i}`,
          message: 'another mapping has the same endpoint and variant',
          got: shown(files),
          fix: 'keep one of them',
        },
      ]);
    seen.add(files);
  }
  return parsed.data;
}

/** The value of `MLMON_SAGEMAKER_SOURCES`. @throws ProblemError also when it is too long for an environment */
export function sageMakerSourcesText(sources: readonly SageMakerSourceInput[]): string {
  const text = JSON.stringify(parseSageMakerSources(sources));
  if (text.length > LONGEST)
    throw new ProblemError([
      {
        code: 'sagemaker-sources-long',
        path: 'sources',
        message: 'do not fit the environment of a function',
        got: `${text.length} characters`,
        expected: `at most ${LONGEST}`,
        fix: 'leave inputs out where they are the features of the monitor in order, or capture by several functions',
      },
    ]);
  return text;
}
