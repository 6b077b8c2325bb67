/** The OpenAPI document, from the same schemas that check requests. */
import { z } from 'zod';
import { inferenceEventSchema, labelEventSchema } from '../../contracts/event.ts';
import { monitorJsonSchema } from '../../contracts/monitor.ts';
import { version } from '../../contracts/version.ts';
import {
  acknowledgeSchema,
  decideBaselineSchema,
  eraseSchema,
  makeBaselineSchema,
  removeMonitorSchema,
  silenceSchema,
} from './change-schemas.ts';

type Json = Record<string, unknown>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json, type = 'application/json'): Json => ({ [type]: { schema } });
const answer = (description: string, schema?: Json): Json => ({
  description,
  ...(schema === undefined ? {} : { content: json(schema) }),
});
const problem = (description: string): Json => ({
  description,
  content: json(ref('Problem'), 'application/problem+json'),
});
const parameter = (name: string, where: 'path' | 'query', description: string): Json => ({
  name,
  in: where,
  description,
  required: where === 'path',
  schema: { type: 'string' },
});

function oneOrMany(schema: Json): Json {
  return { oneOf: [schema, { type: 'array', items: schema }] };
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  void $schema;
  return rest;
}

function ingest(summary: string, content: Json, scope: string): Json {
  return {
    post: {
      summary,
      security: [{ token: [scope] }],
      requestBody: { required: true, content },
      responses: {
        202: answer('Durable: on the log, or in quarantine with a reason.', ref('Accepted')),
        400: problem('Nothing of it could be read.'),
        401: problem('A token is required.'),
        403: problem('The token, the Host or the Origin does not permit it.'),
        413: problem('The body has more than 8 MiB.'),
        415: problem('Not a JSON format.'),
        429: problem('Over its limits: try again after Retry-After seconds.'),
        503: problem('Could not be made durable: try again after Retry-After seconds.'),
      },
    },
  };
}

function read(summary: string, parameters: readonly Json[] = []): Json {
  return {
    get: {
      summary,
      parameters,
      security: [{ token: ['read'] }],
      responses: {
        200: answer('The answer; its fields are in contracts/api.ts.', { type: 'object' }),
        404: problem('There is no such thing.'),
      },
    },
  };
}

function change(summary: string, schema: Json | null, parameters: readonly Json[] = []): Json {
  return {
    summary,
    parameters,
    security: [{ token: ['admin'] }],
    ...(schema === null ? {} : { requestBody: { required: true, content: json(schema) } }),
    responses: {
      200: answer('Done, and audited.', { type: 'object' }),
      400: problem('What is wrong, item by item.'),
      404: problem('There is no such thing.'),
      415: problem('Every change wants a JSON content type.'),
    },
  };
}

export function openApiDocument(): Json {
  const { $schema, title, ...monitor } = monitorJsonSchema();
  void $schema;
  void title;
  const model = parameter('model', 'path', 'Name of the model.');
  const windows = [
    parameter('version', 'query', 'Version of the model; all when absent.'),
    parameter('length', 'query', 'Length of the windows, e.g. 1d; the monitor’s own when absent.'),
  ];
  const plain = (description: string, type: string): Json => ({
    get: {
      summary: description,
      security: [],
      responses: { 200: { description, content: { [type]: { schema: { type: 'string' } } } } },
    },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'mlmon',
      version,
      description:
        'Monitoring of machine-learning models. On 127.0.0.1 no token is needed unless the platform was started with a file of tokens.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      '/v1/events': ingest(
        'Takes events: CloudEvents 1.0, structured, batched, or binary with ce- headers. `data` is one event or an array.',
        {
          'application/cloudevents+json': { schema: ref('CloudEvent') },
          'application/cloudevents-batch+json': { schema: { type: 'array', items: ref('CloudEvent') } },
          'application/json': { schema: oneOrMany({ oneOf: [ref('Inference'), ref('Label')] }) },
        },
        'events:write',
      ),
      '/v1/labels': ingest(
        'Takes ground truth by prediction id, one or many.',
        json(oneOrMany(ref('PlainLabel'))),
        'labels:write',
      ),
      '/v1/kserve': {
        post: {
          summary:
            "Takes copies of inferences from KServe's logger (CloudEvents, binary mode); with tokens also POST /v1/kserve/{token}.",
          security: [{ token: ['events:write'] }],
          requestBody: { required: true, content: json({ type: 'object' }) },
          responses: {
            200: answer('Durable: on the log, or in quarantine with a reason.', ref('Accepted')),
            413: problem('The body has more than 8 MiB.'),
            429: problem('Over its limits.'),
            503: problem('Could not be made durable.'),
          },
        },
      },
      '/api/models': read('The models with their state, and the health of the platform.'),
      '/api/models/{model}': read('One model: its monitor, versions, features, baselines and episodes.', [model]),
      '/api/models/{model}/windows': read('Judged windows and performance, oldest first.', [
        model,
        ...windows,
        parameter('from', 'query', 'Earliest start, RFC 3339.'),
        parameter('to', 'query', 'Starts before this, RFC 3339.'),
        parameter('limit', 'query', 'The newest so many; 200 when absent, at most 1,000.'),
      ]),
      '/api/models/{model}/features/{feature}': read(
        'One feature in one window: baseline against window, tests, history.',
        [
          model,
          parameter('feature', 'path', 'Name of the feature.'),
          ...windows,
          parameter('start', 'query', 'Start of the window, RFC 3339; the newest when absent.'),
        ],
      ),
      '/api/alerts': read('Episodes, newest first, and silences.', [
        parameter('model', 'query', 'Of one model.'),
        parameter('state', 'query', 'open or closed.'),
      ]),
      '/api/health': read('The platform’s own health, and what is in quarantine.'),
      '/api/alerts/{id}/acknowledge': {
        post: change('Somebody looks after it.', schemaOf(acknowledgeSchema), [
          parameter('id', 'path', 'Of the episode.'),
        ]),
      },
      '/api/alerts/test': { post: change('Sends a test through every channel.', { type: 'object' }) },
      '/api/silences': {
        post: change('Holds back what would be sent about a model, for a time.', schemaOf(silenceSchema)),
      },
      '/api/models/{model}/baselines': {
        post: change(
          'Makes a baseline from windows ("this is the new normal"), or publishes one.',
          schemaOf(makeBaselineSchema),
          [model],
        ),
      },
      '/api/models/{model}/baselines/{n}/approve': {
        post: change('Approves a baseline.', schemaOf(decideBaselineSchema), [
          model,
          parameter('n', 'path', 'Its number.'),
        ]),
      },
      '/api/models/{model}/baselines/{n}/rollback': {
        post: change('Back to the approved baseline before the present one.', schemaOf(decideBaselineSchema), [
          model,
          parameter('n', 'path', 'The present number.'),
        ]),
      },
      '/api/monitors/{model}': {
        put: change(
          'Publishes a monitor.',
          { type: 'object', required: ['monitor'], properties: { monitor: ref('Monitor'), by: { type: 'string' } } },
          [model],
        ),
        delete: change('Ends the monitoring of a model.', schemaOf(removeMonitorSchema), [model]),
      },
      '/api/erasures': {
        ...read('Predictions that are erased when they land, by marks of their ids.'),
        post: change('Erases predictions by their ids.', schemaOf(eraseSchema)),
      },
      '/api/erasures/again': { post: change('Looks for what landed since.', { type: 'object' }) },
      '/metrics': plain('Metrics in the text format of Prometheus.', 'text/plain'),
      '/healthz': plain('200 while the process answers.', 'application/json'),
      '/readyz': plain('200 while it should get traffic, else 503.', 'application/json'),
      '/runbook': plain('What to do about each alert.', 'text/html'),
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Inference: schemaOf(inferenceEventSchema),
        Label: schemaOf(labelEventSchema),
        PlainLabel: schemaOf(labelEventSchema.partial({ type: true, time: true })),
        Monitor: monitor,
        CloudEvent: {
          type: 'object',
          required: ['specversion', 'id', 'source', 'type'],
          properties: {
            specversion: { const: '1.0' },
            id: { type: 'string', minLength: 1 },
            source: { type: 'string', minLength: 1 },
            type: { enum: ['ml.inference.v1', 'ml.label.v1'] },
            time: { type: 'string', format: 'date-time' },
            datacontenttype: { type: 'string' },
            data: oneOrMany({ oneOf: [ref('Inference'), ref('Label')] }),
            data_base64: { type: 'string' },
          },
        },
        Accepted: {
          type: 'object',
          required: ['accepted', 'quarantined', 'reasons'],
          properties: {
            accepted: { type: 'integer' },
            quarantined: { type: 'integer' },
            reasons: {
              type: 'array',
              description: 'The first 100 that were not accepted.',
              items: {
                type: 'object',
                properties: { index: { type: 'integer' }, reason: { type: 'string' }, detail: { type: 'string' } },
              },
            },
          },
        },
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'detail'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            problems: { type: 'array', items: { type: 'object' } },
          },
        },
      },
    },
  };
}
