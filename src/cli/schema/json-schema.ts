import { z } from 'zod';
import { limitsJsonSchema } from '../../app/policy/limits-json-schema.ts';
import { resultJsonSchema, rulesJsonSchema } from '../../check/json-schemas.ts';
import { configSchema } from '../../config/profile.ts';
import { orderDraftSchema } from '../../trading/order.ts';
import { orderLegSchema, orderSchema, positionSchema } from '../../trading/views.ts';
import { eventSchemas } from './events.ts';
import { resultSchemas } from './results.ts';

/** The files of docs/reference/schema/, by name: one for each result, one for the events of `stream-json`, those of `check`, and those of the files that people write. */
export function schemaFiles(): Record<string, string> {
  const results = Object.entries(resultSchemas).map(([name, schema]) => [
    `${name}.json`,
    file(`trade-agent.${name}/1`, z.object({ schema: z.literal(`trade-agent.${name}/1`), ...schema.shape })),
  ]);
  const events = file('a line of --output stream-json', z.union(Object.values(eventSchemas)));
  return {
    ...Object.fromEntries(results),
    'event.json': events,
    'check-rules.schema.json': text(rulesJsonSchema()),
    'check.json': text(resultJsonSchema()),
    'limits.schema.json': text(limitsJsonSchema()),
    'config.schema.json': text(
      z.toJSONSchema(configSchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' }),
    ),
  };
}

function file(title: string, schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    unrepresentable: 'any',
    metadata: new NamedSchemas(),
  });
  return text({ ...open(json), title });
}

/** What a file says once, under `$defs`, however often it occurs in it. */
const names = new Map<z.ZodType, string>([
  [orderSchema, 'order'],
  [orderLegSchema, 'order_leg'],
  [orderDraftSchema, 'order_draft'],
  [positionSchema, 'position'],
]);

/** The schemas' own descriptions, with the names, which hold in these files alone: a tool's parameters go to models whole. */
class NamedSchemas extends z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
  override get(schema: z.core.$ZodType) {
    const id = names.get(schema as z.ZodType);
    return { ...z.globalRegistry.get(schema), ...(id !== undefined && { id }) };
  }
}

/** For programs, and in the package: indented they would be twice as large. */
const text = (schema: unknown) => `${JSON.stringify(schema)}\n`;

/** Without `additionalProperties: false`: within a version fields may be added, and a reader must not mind. */
function open(json: unknown): Record<string, unknown> {
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
