import { z } from 'zod';

/** Fields of every result. The `environment`, `message` and `status` are always present. */
const resultShape = {
  environment: z.enum(['paper', 'live']),
  message: z.string(),
  status: z.string(),
  cut: z.array(z.object({ field: z.string(), shown: z.int(), total: z.int() })).optional(),
  untrusted: z.string().optional(),
};

/** The schema of a successful result of a tool: the tool's own fields and the fields of every result. */
export function resultSchema(output: z.ZodObject): z.ZodObject {
  return z.object({ ...resultShape, ...output.shape });
}

/** A JSON Schema of an object. */
export interface ObjectSchema extends Readonly<Record<string, unknown>> {
  readonly type: 'object';
}

/**
 * Returns the JSON Schema that `tools/list` shows: the types of the fields that a tool's results have, without
 * descriptions and without the insides of nested objects, because clients may pass the list to a model. Only the fields
 * of every result are required, because some clients also check errors against the schema.
 */
export function listedOutputSchema(output: z.ZodObject): ObjectSchema {
  const { properties = {} } = z.toJSONSchema(output, { io: 'output', unrepresentable: 'any' });
  const types = Object.entries(properties).map(([name, field]) => [name, outline(field as JsonSchema)]);
  return { type: 'object', properties: Object.fromEntries(types), required: ['environment', 'message', 'status'] };
}

interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly JsonSchema[];
}

/** Reduces a schema to its types. */
function outline({ type, anyOf }: JsonSchema): { readonly type?: string | readonly string[] } {
  if (type !== undefined) return { type };
  const types = (anyOf ?? []).map((one) => one.type).filter((one) => one !== undefined);
  const [first, ...rest] = new Set(types);
  if (first === undefined || types.length < (anyOf?.length ?? 0)) return {};
  return { type: rest.length === 0 ? first : [first, ...rest] };
}
