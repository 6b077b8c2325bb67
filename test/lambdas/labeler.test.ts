import { describe, expect, it } from 'vitest';
import { type LabelerParts, type LabelerRun, labelerHandler } from '../../lambdas/labeler/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { QueryFailedError, QueryUnfinishedError } from '../../lib/adapters/athena/query-failure.ts';
import type { CompletenessState } from '../../lib/pipeline/completeness.ts';

const NOW = Date.parse('2001-02-01T10:00:00Z');
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 600_000 };
const STEP = { windows: 3, written: 2, queries: 2, through: NOW, orphans: {} };

function made(more: Partial<LabelerParts>) {
  const metrics: Record<string, unknown>[] = [];
  const lines: { level: string; message: string }[] = [];
  const run: LabelerRun = { deadline: 0, scanned: 7 };
  const handler = labelerHandler({
    labeler: { step: async () => STEP },
    completeness: { step: async () => null },
    run,
    environment: 'test',
    clock: { now: () => NOW },
    log: logOf('labeler', { write: (line) => lines.push(JSON.parse(line) as never) }),
    write: (line) => metrics.push(JSON.parse(line) as Record<string, unknown>),
    ...more,
  });
  const told = (name: string): unknown => metrics.find((line) => name in line)?.[name];
  return { handler, run, lines, told };
}

describe('labeler function', () => {
  it('waits for queries until its own time nears its end, and tells what they read', async () => {
    const { handler, run, lines, told } = made({});
    const { handler: short, run: shortRun } = made({});
    await handler({}, context);
    expect(run.deadline).toBe(NOW + 540_000);
    expect(told('ScannedBytes')).toBe(0);
    expect(told('Runs')).toBe(1);
    expect(told('CaptureDifference')).toBeUndefined();
    expect(lines.map(({ message }) => message)).toEqual(['labels joined']);
    await short({}, { ...context, getRemainingTimeInMillis: () => 30_000 });
    expect(shortRun.deadline).toBe(NOW + 20_000);
  });

  it('comes to its end when a query runs on', async () => {
    const run: LabelerRun = { deadline: 0, scanned: 0 };
    const { handler, lines, told } = made({
      run,
      labeler: {
        step: async () => {
          run.scanned = 12;
          throw new QueryUnfinishedError('execution-1');
        },
      },
    });
    await handler({}, context);
    expect(lines).toMatchObject([{ level: 'info', execution: 'execution-1' }]);
    expect([told('Runs'), told('ScannedBytes')]).toEqual([1, 12]);
  });

  it('fails when a query fails, and tells what was read for it', async () => {
    const { handler, told } = made({
      labeler: {
        step: async () => {
          throw new QueryFailedError('execution-1', 'w', 'nothing to read');
        },
      },
    });
    await expect(handler({}, context)).rejects.toThrow('query execution-1: nothing to read');
    expect(told('Runs')).toBeUndefined();
    expect(told('ScannedBytes')).toBe(0);
  });

  it('tells every time what the capture was found to miss', async () => {
    const state: CompletenessState = {
      schema: 'mlmon.completeness/v1',
      at: NOW,
      windows: 2,
      profiled: 10,
      captured: 7,
      missing: 3,
      worst: { model: 'm', start: '2001-02-01T00:00:00.000Z', missing: 3 },
    };
    const { handler, lines, told } = made({ completeness: { step: async () => state } });
    await handler({}, context);
    expect(told('CaptureDifference')).toBe(3);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', missing: 3, model: 'm' });
    const {
      handler: whole,
      lines: quiet,
      told: zero,
    } = made({ completeness: { step: async () => ({ ...state, missing: 0, worst: null }) } });
    await whole({}, context);
    expect(zero('CaptureDifference')).toBe(0);
    expect(quiet.every(({ level }) => level === 'info')).toBe(true);
  });

  it('learns baselines after labels are joined, and one that fails shows', async () => {
    const failing = (error: Error) => ({ step: async () => ({ published: 1, failed: new Map([['m', error]]) }) });
    const { handler, lines } = made({ learner: { step: async () => ({ published: 2, failed: new Map() }) } });
    await handler({}, context);
    expect(lines.at(-1)).toMatchObject({ message: 'baselines were learned', published: 2 });
    const broken = made({ learner: failing(new QueryFailedError('execution-1', 'w', 'nothing to read')) });
    await expect(broken.handler({}, context)).rejects.toThrow('nothing to read');
    expect(broken.lines.at(-1)).toMatchObject({ level: 'warn', model: 'm' });
    const slow = made({ learner: failing(new QueryUnfinishedError('execution-2')) });
    await slow.handler({}, context);
    expect(slow.lines.at(-1)).toMatchObject({ level: 'info', execution: 'execution-2' });
    expect(slow.told('Runs')).toBe(1);
  });
});
