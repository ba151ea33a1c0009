import { z } from 'zod';
import { eventShapes } from '../../agent/view-schemas.ts';
import { buildLimitsJsonSchema } from '../../app/policy/limits-json-schema.ts';
import { resultJsonSchema, rulesJsonSchema } from '../../check/json-schemas.ts';
import { configSchema } from '../../config/profile.ts';
import { orderDraftSchema } from '../../trading/order.ts';
import { orderLegSchema, orderSchema, positionSchema } from '../../trading/views.ts';
import { createSchemaRegistry } from '../../values/schema-registry.ts';
import { timeSchema } from './parts.ts';
import { resultSchemas } from './results.ts';

/**
 * Returns the schemas by file name: for results, `stream-json` events, the output of `check`, and files that people
 * write.
 */
export function buildSchemaFiles(): Record<string, string> {
  const results = Object.entries(resultSchemas).map(([name, schema]) => [
    `${name}.json`,
    schemaFile(`trade-agent.${name}/1`, z.object({ schema: z.literal(`trade-agent.${name}/1`), ...schema.shape })),
  ]);
  const events = schemaFile('a line of --output stream-json', z.union(Object.values(eventSchemas)));
  return {
    ...Object.fromEntries(results),
    'event.json': events,
    'check-rules.schema.json': toJsonText(rulesJsonSchema()),
    'check.json': toJsonText(resultJsonSchema()),
    'limits.schema.json': toJsonText(buildLimitsJsonSchema()),
    'config.schema.json': toJsonText(
      z.toJSONSchema(configSchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' }),
    ),
  };
}

function schemaFile(title: string, schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    unrepresentable: 'any',
    metadata: createSchemaRegistry(sharedSchemas),
  });
  return toJsonText({ ...allowUnknownFields(json), title });
}

/** Schemas that each file defines only once, under `$defs`. */
const sharedSchemas = new Map<z.ZodType, string>([
  [orderSchema, 'order'],
  [orderLegSchema, 'order_leg'],
  [orderDraftSchema, 'order_draft'],
  [positionSchema, 'position'],
]);

/** Formats JSON without indentation, which would double the size of these files in the package. */
const toJsonText = (schema: unknown) => `${JSON.stringify(schema)}\n`;

/**
 * Removes `additionalProperties: false`, because later versions may add fields, and readers must ignore unknown fields.
 */
function allowUnknownFields(json: unknown): Record<string, unknown> {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, inner]) => !(key === 'additionalProperties' && inner === false))
        .map(([key, inner]) => [key, strip(inner)]),
    );
  };
  return strip(json) as Record<string, unknown>;
}

const event = <T extends string>(type: T, shape: z.ZodRawShape) =>
  z.object({ type: z.literal(type), thread: z.string().optional(), ...shape });

/**
 * The lines of `--output stream-json`. The last line is the result. Readers must skip lines of unknown types, because
 * new types may be added. If a command follows several conversations, `thread` is the ID of the event's conversation.
 */
const eventSchemas = {
  thread: event('thread', eventShapes.thread).describe('the first event: the thread of this run'),
  text: event('text', eventShapes.text).describe('a piece of the answer, as the model writes it'),
  tool_call: event('tool_call', eventShapes.tool_call),
  tool_result: event('tool_result', eventShapes.tool_result),
  approval: event('approval', eventShapes.approval).describe('a change in the status of an approval'),
  order: event('order', eventShapes.order),
  connection: event('connection', eventShapes.connection).describe(
    'another service that the run needs; the run is paused until it is connected',
  ),
  notice: event('notice', eventShapes.notice).describe('a notice that does not end the run'),
  device_code: event('device_code', {
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    device_name: z.string().describe('name of this machine on the consent page'),
    expires_at: timeSchema,
  }).describe('login: the code to confirm, and the address to confirm it at'),
  connection_link: event('connection_link', {
    name: z.string(),
    address: z.string(),
    expires_at: timeSchema,
  }).describe('connections add: where to sign in'),
} as const;
