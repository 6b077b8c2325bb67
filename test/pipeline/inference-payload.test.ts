/** Payloads of model servers, and lines of captured invocations, as rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseSageMakerSources,
  type SageMakerSourceInput,
  sageMakerSourcesText,
} from '../../lib/contracts/sagemaker.ts';
import { csvRows } from '../../lib/pipeline/csv-rows.ts';
import { type PayloadRules, requestRows, responseRows } from '../../lib/pipeline/inference-payload.ts';
import { captureEvents, captureFile, sourceOf } from '../../lib/pipeline/sagemaker-capture.ts';

const RULES: PayloadRules = {
  mapping: { output: 'predicted' },
  task: 'binary-classification',
  columns: {},
  inputs: ['age', 'plan'],
  types: new Map([
    ['age', 'numeric'],
    ['plan', 'categorical'],
    ['code', 'categorical'],
  ]),
};
const NONE = new Uint8Array();
const rowsOf = (payload: unknown, binary = NONE, rules = RULES) =>
  requestRows(payload, binary, rules)?.map(({ numeric, categorical }) => ({ ...numeric, ...categorical }));
const answers = (payload: unknown, rules: Partial<PayloadRules> = {}, binary = NONE) =>
  responseRows(payload, binary, { ...RULES, ...rules });

describe('a request', () => {
  it('is read by position, by name, and by column', () => {
    const rows = [
      { age: 41, plan: 'gold' },
      { age: 29, plan: 'basic' },
    ];
    expect(
      rowsOf({
        instances: [
          [41, 'gold'],
          [29, 'basic'],
        ],
      }),
    ).toEqual(rows);
    expect(rowsOf({ instances: rows })).toEqual(rows);
    expect(
      rowsOf({
        inputs: [
          [41, 'gold'],
          [29, 'basic'],
        ],
      }),
    ).toEqual(rows);
    expect(rowsOf({ inputs: { age: [41, 29], plan: ['gold', 'basic'] } })).toEqual(rows);
    expect(rowsOf({ instances: [41] })).toEqual([{ age: 41 }]);
    expect(rowsOf({ instances: [[41, 'gold', 7]] })).toEqual([{ age: 41, plan: 'gold', 'input-2': 7 }]);
  });

  it('is read from tensors, flat, nested or as bytes', () => {
    const tensor = (name: string, shape: number[], datatype: string, data: unknown) => ({
      name,
      shape,
      datatype,
      data,
    });
    const wanted = [
      { age: 41, plan: 'gold' },
      { age: 29, plan: 'basic' },
    ];
    expect(
      rowsOf({ inputs: [tensor('age', [2, 1], 'INT64', [41, 29]), tensor('plan', [2], 'BYTES', ['gold', 'basic'])] }),
    ).toEqual(wanted);
    expect(
      rowsOf({
        inputs: [
          tensor('x', [2, 2], 'BYTES', [
            [41, 'gold'],
            [29, 'basic'],
          ]),
        ],
      }),
    ).toEqual(wanted);
    const binary = Buffer.alloc(8 + 2 * 4 + 9);
    binary.writeFloatLE(41, 0);
    binary.writeFloatLE(29, 4);
    binary.writeUInt32LE(4, 8);
    binary.write('gold', 12);
    binary.writeUInt32LE(5, 16);
    binary.write('basic', 20);
    const sized = (name: string, datatype: string, binary_data_size: number) => ({
      name,
      shape: [2],
      datatype,
      parameters: { binary_data_size },
    });
    expect(rowsOf({ inputs: [sized('age', 'FP32', 8), sized('plan', 'BYTES', 17)] }, binary)).toEqual(wanted);
    expect(() => rowsOf({ inputs: [sized('age', 'FP32', 80)] }, binary)).toThrow(/Inference-Header-Content-Length/);
    expect(() => rowsOf({ inputs: [tensor('age', [3], 'FP32', [1])] })).toThrow('age: 1 value, 3 by its shape');
    expect(() => rowsOf({ inputs: [tensor('age', [2], 'FP32', [1, 2]), tensor('b', [1], 'FP32', [1])] })).toThrow(
      'b: 1 row, others have 2',
    );
  });

  it('gives values the type of their feature, and leaves wrong ones to the contract', () => {
    expect(requestRows({ instances: [{ code: 7, plan: true, age: 'x', flag: true, new: 1 }] }, NONE, RULES)).toEqual([
      { numeric: { age: 'x', new: 1 }, categorical: { code: '7', plan: 'true', flag: 'true' } },
    ]);
  });

  it('has no rows where a shape says that there are many of nothing', () => {
    const nothing = { name: 'x', shape: [1_000_000_000, 0], datatype: 'FP32', data: [] };
    expect(rowsOf({ inputs: [nothing] })).toEqual([]);
    expect(answers({ outputs: [nothing] })).toEqual([]);
  });

  it('asks for no inference where it has no rows', () => {
    for (const payload of [{}, null, [], 'x', { ready: true }]) expect(rowsOf(payload)).toBeUndefined();
  });

  it('never throws anything but a reason, and pollutes nothing, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ instances: fc.jsonValue() }),
          fc.record({ inputs: fc.jsonValue() }),
          fc.record({ predictions: fc.jsonValue() }),
          fc.record({
            outputs: fc.array(
              fc.record(
                {
                  name: fc.string(),
                  shape: fc.array(fc.integer(), { maxLength: 3 }),
                  datatype: fc.constantFrom('FP32', 'BYTES', 'X'),
                  data: fc.jsonValue(),
                  parameters: fc.jsonValue(),
                },
                { requiredKeys: [] },
              ),
              { maxLength: 3 },
            ),
          }),
          fc.constant(JSON.parse('{"instances":[{"__proto__":{"polluted":1}}]}')),
        ),
        fc.uint8Array({ maxLength: 64 }),
        (payload, binary) => {
          for (const readRows of [requestRows, responseRows])
            try {
              readRows(payload, binary, RULES);
            } catch (error) {
              expect((error as Error).constructor).toBe(Error);
            }
          expect((Object.prototype as Record<string, unknown>)['polluted']).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a response', () => {
  it('is a prediction or a score, as the monitor says', () => {
    expect(answers({ predictions: [0, 1] })).toEqual([{ predicted: 0 }, { predicted: 1 }]);
    expect(answers({ predictions: [0.2] }, { mapping: { output: 'score' } })).toEqual([{ score: 0.2 }]);
    expect(answers({ predictions: ['late'] })).toEqual([{ predicted: 'late' }]);
    expect(answers({ predictions: [[0.2, 0.8]] })).toEqual([{ score: 0.8 }]);
    expect(answers({ predictions: [[0.2, 0.7, 0.1]] }, { task: 'multiclass-classification' })).toEqual([
      { score: 0.7, predicted: '1' },
    ]);
    expect(
      answers(
        { predictions: [{ probability: 0.3, label: 'late', other: 1 }] },
        {
          mapping: { output: 'predicted', score: 'probability', predicted: 'label' },
        },
      ),
    ).toEqual([{ score: 0.3, predicted: 'late' }]);
  });

  it('is read from tensors', () => {
    const proba = { name: 'proba', shape: [2, 2], datatype: 'FP32', data: [0.17, 0.83, 0.61, 0.39] };
    expect(answers({ model_name: 'churn', outputs: [proba] })).toEqual([{ score: 0.83 }, { score: 0.39 }]);
    const label = { name: 'label', shape: [2], datatype: 'INT64', data: [1, 0] };
    const mapping = { output: 'predicted', score: 'proba', predicted: 'label' } as const;
    expect(answers({ outputs: [proba, label] }, { mapping })).toEqual([
      { score: 0.83, predicted: 1 },
      { score: 0.39, predicted: 0 },
    ]);
    expect(answers({ error: 'no model' })).toBeNull();
  });
});

describe('CSV', () => {
  it('gives back what was written, with quotes, breaks and empty fields', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (rows, ending, ends) => {
          const text = rows
            .map((row) => row.map((one) => (/[",\r\n]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(','))
            .join(ending);
          expect(csvRows(ends && text !== '' ? text + ending : text)).toEqual(rows);
        },
      ),
    );
    expect(csvRows('1\n\n2\n')).toEqual([['1'], ['2']]);
    expect(() => csvRows('"a')).toThrow('a quoted field does not end');
    expect(() => csvRows('"a"b')).toThrow('text behind a quoted field');
  });
});

describe('a captured invocation', () => {
  const source = (more: Partial<SageMakerSourceInput> = {}) =>
    parseSageMakerSources([{ endpoint: 'churn', model: 'churn', inputs: ['age', 'plan', null], ...more }])[0]!;
  const { types } = RULES;
  const context = (more: Partial<SageMakerSourceInput> = {}) => ({
    source: source(more),
    variant: 'blue',
    task: 'binary-classification' as const,
    columns: {},
    types,
  });
  const payload = (data: string, encoding = 'CSV', type = 'text/csv; charset=utf-8') => ({
    observedContentType: type,
    mode: 'INPUT',
    data,
    encoding,
  });
  const line = (endpointInput?: object, endpointOutput?: object, metadata: object = {}) => ({
    captureData: { endpointInput, endpointOutput },
    eventMetadata: { eventId: 'e-1', inferenceTime: '2026-03-04T10:11:12Z', ...metadata },
    eventVersion: '0',
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it('becomes one event a row, from CSV, JSON and base64 of either', () => {
    const common = {
      type: 'inference',
      source: 'sagemaker/churn/blue',
      model: 'churn',
      version: 'blue',
      time: '2026-03-04T10:11:12Z',
    };
    const wanted = [
      { ...common, id: 'e-1/0', numeric: { age: 41 }, categorical: { plan: 'gold' }, predicted: 0.83 },
      { ...common, id: 'e-1/1', numeric: {}, categorical: { plan: '7' }, predicted: 0.12 },
    ];
    const csv = '41,gold,skip\n,7,skip\n';
    for (const [input, output] of [
      [payload(csv), payload('0.83\n0.12', 'CSV')],
      [payload(csv), payload('{"predictions":[0.83,0.12]}', 'JSON', 'application/json')],
      [payload(base64(csv), 'BASE64'), payload(base64('[0.83,0.12]'), 'BASE64', 'application/json')],
      [payload('{"instances":[[41,"gold",1],[null,7,1]]}', 'JSON'), payload('0.83\n0.12\n')],
      [payload('[41,"gold",1]\n[null,7,1]', 'JSON'), payload('0.83\n0.12\n')],
      [payload('[[41,"gold",1],[null,7,1]]', 'JSON'), payload('0.83\n0.12\n')],
    ] as const)
      expect(captureEvents(line(input, output), context())).toEqual(wanted);
  });

  it('has the id of the caller, and the version that the invocation names', () => {
    const more = { inferenceId: 'order-991', customAttributes: ['tenant=eu;model=7'] };
    expect(
      captureEvents(
        line(payload('41,gold,x'), payload('0.83'), more),
        context({ versionAttribute: 'model', version: '3', output: 'score' }),
      ),
    ).toMatchObject([{ id: 'order-991', version: '7', score: 0.83 }]);
    expect(captureEvents(line(payload('41,gold,x'), payload('1')), context({ version: '3' }))).toMatchObject([
      { version: '3' },
    ]);
  });

  it('takes names from a header, a member or the outputs', () => {
    expect(captureEvents(line(payload('plan,age\ngold,41'), payload('x')), context({ header: true }))).toMatchObject([
      { numeric: { age: 41 }, categorical: { plan: 'gold' } },
    ]);
    expect(
      captureEvents(line(payload('{"data":[{"age":41}]}', 'JSON'), payload('x')), context({ rows: 'data' })),
    ).toMatchObject([{ numeric: { age: 41 } }]);
    expect(
      captureEvents(line(payload('41,gold,x'), payload('late,0.9')), context({ outputs: ['predicted', 'score'] })),
    ).toMatchObject([{ predicted: 'late', score: 0.9 }]);
  });

  it('is a request where only requests are captured', () => {
    expect(captureEvents(line(payload('41,gold,x')), context())).toMatchObject([
      { type: 'request', numeric: { age: 41 } },
    ]);
    expect(captureEvents(line(undefined, payload('0.5')), context({ output: 'score' }))).toMatchObject([
      { type: 'inference', score: 0.5 },
    ]);
  });

  it('says what is wrong with it, and quotes no payload', () => {
    for (const [bad, reason] of [
      [{}, 'eventVersion: expected "0"'],
      [line(payload('1'), payload('1\n2')), '1 row in the request, 2 in the response'],
      [line(), 'no rows'],
      [line(payload('Ada{', 'JSON'), payload('1')), 'not readable as JSON'],
      [line(payload('Ada', 'XML')), 'encoding: expected CSV, JSON or BASE64'],
      [line(payload(base64('Ada'), 'BASE64', 'image/png')), 'CaptureContentTypeHeader'],
      [line(payload('"Ada'), payload('1')), 'a quoted field does not end'],
      [{ ...line(payload('1')), eventMetadata: {} }, 'expected an inferenceId or an eventId'],
    ] as const) {
      expect(() => captureEvents(bad, context())).toThrow(reason);
      expect(() => captureEvents(bad, context())).not.toThrow('Ada');
    }
  });

  it('belongs to the mapping of its variant, else of its endpoint', () => {
    const key = 'capture/churn/blue/2026/03/04/10/11-12-013-5b7e8c06.jsonl';
    expect(captureFile(key)).toEqual({ endpoint: 'churn', variant: 'blue' });
    for (const other of ['churn/blue/x.jsonl', `${key}.tmp`, 'a/2026/03/04/10/x.jsonl'])
      expect(captureFile(other)).toBeNull();
    const sources = parseSageMakerSources([
      { endpoint: 'churn', model: 'churn' },
      { endpoint: 'churn', variant: 'green', model: 'churn-green' },
    ]);
    expect(sourceOf(sources, { endpoint: 'churn', variant: 'blue' })?.model).toBe('churn');
    expect(sourceOf(sources, { endpoint: 'churn', variant: 'green' })?.model).toBe('churn-green');
    expect(sourceOf(sources, { endpoint: 'other', variant: 'blue' })).toBeNull();
  });

  it('has mappings that are checked as a whole', () => {
    expect(() => parseSageMakerSources([])).toThrow(/sources/);
    expect(() => parseSageMakerSources([{ endpoint: 'a', model: 'Bad Name' }])).toThrow(/sources\.0\.model/);
    const twice = [
      { endpoint: 'a', model: 'm' },
      { endpoint: 'a', model: 'n' },
    ];
    expect(() => parseSageMakerSources(twice)).toThrow(/another mapping has the same endpoint and variant/);
    const wide = [{ endpoint: 'a', model: 'm', inputs: Array.from({ length: 400 }, (_, i) => `feature-${i}`) }];
    expect(() => sageMakerSourcesText(wide)).toThrow(/do not fit the environment/);
  });
});
