/** Requests that change something: parsed, checked, handed to whoever does it. All of them are audited there. */
import type { z } from 'zod';
import type { Baseline, PublishedBaseline } from '../../contracts/baseline.ts';
import type { Silence } from '../../contracts/episode.ts';
import { fromProblems, HttpProblem } from '../../contracts/http-problem.ts';
import type { PublishedMonitor } from '../../contracts/monitor.ts';
import type { Problem } from '../../contracts/problem.ts';
import {
  acknowledgeSchema,
  applyMonitorSchema,
  decideBaselineSchema,
  makeBaselineSchema,
  removeMonitorSchema,
  silenceSchema,
} from './change-schemas.ts';
import { baselineInfo, type ReadModel } from './read-model.ts';
import { readBody } from './request-body.ts';
import type { Context, Route } from './router.ts';

/** What the server asks for; each throws ProblemError for what is wrong in the request. */
export interface Actions {
  acknowledge(id: string, options: { readonly by: string; readonly note: string }): Promise<void>;
  silence(input: {
    readonly model: string;
    readonly signal: string | null;
    readonly for: string;
    readonly reason: string;
    readonly by: string;
  }): Promise<Silence>;
  testChannels(): Promise<unknown>;
  applyMonitor(model: string, input: unknown, by: string): Promise<PublishedMonitor>;
  removeMonitor(model: string, by: string): Promise<PublishedMonitor>;
  makeBaseline(
    model: string,
    options: { readonly from: string; readonly to: string | null; readonly by: string },
  ): Promise<PublishedBaseline>;
  publishBaseline(
    model: string,
    options: {
      readonly baseline: Baseline;
      readonly version: string;
      readonly approve: boolean;
      readonly by: string;
      readonly monitor?: unknown;
    },
  ): Promise<PublishedBaseline>;
  approveBaseline(
    model: string,
    options: { readonly version: string; readonly n: number; readonly by: string },
  ): Promise<PublishedBaseline>;
  rollbackBaseline(
    model: string,
    options: { readonly version: string; readonly by: string },
  ): Promise<PublishedBaseline>;
}

export function changeRoutes(actions: Actions, read: ReadModel): Route[] {
  const change = (method: 'POST' | 'PUT' | 'DELETE', path: string, handle: Route['handle']): Route => ({
    method,
    path,
    scope: 'admin',
    handle: async (context) => {
      try {
        await handle(context);
      } catch (error) {
        throw asAnswer(error);
      }
    },
  });
  return [
    change('POST', '/api/alerts/test', async (context) => {
      await readBody(context.request, context.head);
      await context.json(await actions.testChannels());
    }),
    change('POST', '/api/alerts/:id/acknowledge', async (context) => {
      const { note, by } = await parsed(context, acknowledgeSchema);
      await actions.acknowledge(context.params['id']!, { note, by: decider(context, by) });
      await context.json({ id: context.params['id'], acknowledged: true });
    }),
    change('POST', '/api/silences', async (context) => {
      const input = await parsed(context, silenceSchema);
      await context.json(await actions.silence({ ...input, by: decider(context, input.by) }), 201);
    }),
    change('PUT', '/api/monitors/:model', async (context) => {
      const { monitor, by } = await parsed(context, applyMonitorSchema);
      await context.json(await actions.applyMonitor(context.params['model']!, monitor, decider(context, by)));
    }),
    change('DELETE', '/api/monitors/:model', async (context) => {
      const { by } = await parsed(context, removeMonitorSchema);
      await context.json(await actions.removeMonitor(context.params['model']!, decider(context, by)));
    }),
    change('POST', '/api/models/:model/baselines', async (context) => {
      const input = await parsed(context, makeBaselineSchema);
      const by = decider(context, input.by);
      const model = context.params['model']!;
      const published =
        'baseline' in input
          ? await actions.publishBaseline(model, { ...input, baseline: input.baseline as unknown as Baseline, by })
          : await actions.makeBaseline(model, { from: input.from, to: input.to, by });
      await context.json(baselineInfo(published), 201);
    }),
    change('POST', '/api/models/:model/baselines/:n/approve', async (context) => {
      const { version, by } = await parsed(context, decideBaselineSchema);
      const model = context.params['model']!;
      const n = Number(context.params['n']);
      const decided = { version: version ?? (await versionOf(read, model, n)), n, by: decider(context, by) };
      await context.json(baselineInfo(await actions.approveBaseline(model, decided)));
    }),
    change('POST', '/api/models/:model/baselines/:n/rollback', async (context) => {
      const { version, by } = await parsed(context, decideBaselineSchema);
      const model = context.params['model']!;
      const decided = {
        version: version ?? (await versionOf(read, model, Number(context.params['n']))),
        by: decider(context, by),
      };
      await context.json(baselineInfo(await actions.rollbackBaseline(model, decided)));
    }),
  ];
}

/** Which version has a baseline of this number; the one the model runs in, when several have. */
async function versionOf(read: ReadModel, model: string, n: number): Promise<string> {
  const { baselines, summary } = await read.model(model);
  const having = baselines.filter((baseline) => baseline.n === n).map(({ version }) => version);
  const chosen = having.find((version) => version === summary.version) ?? having.at(-1);
  if (chosen === undefined) throw new HttpProblem(404, 'no-such-baseline', `${model}: no baseline has the number ${n}`);
  return chosen;
}

/** The name on the audit log: what the request says, and the token that it came with. */
export function decider({ identity }: Context, by: string | undefined): string {
  if (identity.name === 'local') return by ?? 'local';
  return by === undefined ? identity.name : `${by} (token ${identity.name})`;
}

/** @throws HttpProblem 400 with all that is wrong */
export async function parsed<T extends z.ZodType>({ request, head }: Context, schema: T): Promise<z.output<T>> {
  const text = await readBody(request, head);
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'json', 'the body is not readable as JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems: Problem[] = result.error.issues.map((issue) => ({
    code: issue.code.replaceAll('_', '-'),
    path: issue.path.map(String).join('.'),
    message: 'is not valid',
    expected: issue.message,
  }));
  throw fromProblems(problems);
}

/** What is unknown is not found; all else that is wrong in a request is a bad request, which the server says by itself. */
function asAnswer(error: unknown): unknown {
  const [first] = (error as { problems?: readonly Problem[] }).problems ?? [];
  if (
    first === undefined ||
    !first.code.startsWith('unknown-') ||
    first.code === 'unknown-key' ||
    first.code === 'unknown-metric'
  )
    return error;
  const document = fromProblems((error as { problems: readonly Problem[] }).problems);
  return new HttpProblem(404, first.code, document.message, { problems: document.document.problems });
}
