import { z } from 'zod';
import {
  agentEventSchema,
  approvalAnswerSchema,
  IDEMPOTENCY_KEY,
  idempotencyKeySchema,
  type Operation,
  operations,
  problemSchema,
  remoteScheduleSchema,
  runResultSchema,
} from '../../agent/remote/protocol.ts';
import { thread } from '../../agent/view-schemas.ts';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { orderSchema } from '../../trading/views.ts';

/** Schemas that become named `components`. */
const names = new Map<z.core.$ZodType, string>([
  [approvalAnswerSchema.shape.approval, 'Approval'],
  [agentEventSchema, 'AgentEvent'],
  [runResultSchema, 'RunResult'],
  [thread, 'Thread'],
  [orderSchema, 'Order'],
  [remoteScheduleSchema, 'Schedule'],
  [runRecordSchema, 'ScheduleRun'],
  [problemSchema, 'Problem'],
]);

class Named extends z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
  override get(schema: z.core.$ZodType) {
    const id = names.get(schema);
    return { ...z.globalRegistry.get(schema), ...(id !== undefined && { id }) };
  }
}

type Json = Record<string, unknown>;

/**
 * A server's OpenAPI 3.1 document, generated from the schemas that it validates with (agent/remote/protocol.ts).
 * @see https://spec.openapis.org/oas/v3.1.1.html
 * @param address the server's
 */
export function openApiDocument(address: string, version: string): Json {
  const components: Json = {};
  /** JSON Schema 2020-12, its parts under `components`; answers may gain members within a version. */
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const {
      $schema: _,
      $defs = {},
      ...json
    } = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      unrepresentable: 'any',
      ...(io === 'output' ? { metadata: new Named(), override: open } : {}),
    }) as Json & { readonly $defs?: Json };
    for (const [name, part] of Object.entries($defs))
      components[name] = atComponents(withoutId(part as Json));
    return atComponents(withoutId(json)) as Json;
  };
  const paths: Record<string, Json> = {};
  for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: operationOf(name, operation, schemaOf) };
  }
  const problem = schemaOf(problemSchema, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'trade-agent server',
      version,
      description:
        'Runs agents that look after brokerage accounts. Everything under /v1/ that is not here is the gateway’s, in the person’s name.',
    },
    servers: [{ url: address }],
    security: [{ dpop: [] }],
    paths,
    components: {
      schemas: { ...components, Problem: problem.$ref === undefined ? problem : components.Problem },
      securitySchemes: {
        dpop: {
          type: 'http',
          scheme: 'DPoP',
          description:
            'An access token of the server’s audience, bound to a key (RFC 9449); with it a header DPoP.',
        },
      },
    },
  };
}

function operationOf(
  name: string,
  operation: Operation,
  schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json,
): Json {
  const { path, summary, idempotent, query = {}, headers = {}, body, status, answer, streams } = operation;
  const parameter = (place: string, required: boolean) => (entry: [string, z.ZodType]) => ({
    name: entry[0],
    in: place,
    required,
    schema: schemaOf(entry[1], 'input'),
  });
  const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, id = '']): [string, z.ZodType] => [id, z.string()]);
  const parameters = [
    ...ids.map(parameter('path', true)),
    ...Object.entries(query).map(parameter('query', false)),
    ...Object.entries(headers).map(parameter('header', false)),
    ...(idempotent === true ? [parameter('header', true)([IDEMPOTENCY_KEY, idempotencyKeySchema])] : []),
  ];
  const ref = { $ref: '#/components/schemas/Problem' };
  return {
    operationId: name,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }),
    responses: {
      [status]: {
        description: summary,
        ...(answer === undefined ? {} : { content: contentOf(schemaOf(answer, 'output'), streams === true) }),
      },
      default: {
        description: 'a refusal (RFC 9457)',
        content: { 'application/problem+json': { schema: ref } },
      },
    },
  };
}

/** OpenAPI 3.1 can't describe a stream's events; 3.2's `itemSchema` can. */
function contentOf(schema: Json, streams: boolean): Json {
  if (!streams) return { 'application/json': { schema } };
  const stream = { type: 'string', description: 'server-sent events, each with an id that counts up' };
  return { 'text/event-stream': { schema: stream, 'x-event-data': schema } };
}

function open({ jsonSchema }: { readonly jsonSchema: { additionalProperties?: unknown } }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

/** An `id` in a part would change the base of its references. */
function withoutId({ id: _, $id: __, ...json }: Json): Json {
  return json;
}

function atComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(atComponents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace(/^#\/\$defs\//, '#/components/schemas/')
        : atComponents(inner),
    ]),
  );
}
