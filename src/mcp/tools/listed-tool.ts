import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { listedOutputSchema } from '../outputs/output-schema.ts';
import { describeArgument } from './argument-words.ts';
import type { McpTool } from './mcp-tool.ts';

/** Returns a tool in the form that `tools/list` shows. The list is short, because clients pass all of it to a model. */
export function toListedTool({ name, title, description, schema, output, scopes, effect }: McpTool): Tool {
  return {
    name,
    title,
    description,
    inputSchema: listedInputSchema(name, schema),
    outputSchema: listedOutputSchema(output),
    annotations: {
      readOnlyHint: effect === 'reads',
      openWorldHint: false,
      // A proposal destroys nothing, because the person decides. For a tool that only reads, the hints have no meaning.
      ...(effect === 'reads' ? {} : { destructiveHint: effect === 'acts', idempotentHint: false }),
    },
    // Some hosts read a tool's scopes here, and request authorization in a loop if they are missing.
    _meta: { securitySchemes: [{ type: 'oauth2', scopes: [...scopes] }] },
  };
}

interface JsonSchema extends Readonly<Record<string, unknown>> {
  readonly required?: string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/**
 * Returns the arguments as JSON Schema, with short descriptions. Omits patterns, lengths and list limits: the server
 * checks them, and its errors say what is wrong.
 */
function listedInputSchema(tool: string, schema: z.ZodObject): Tool['inputSchema'] {
  const { properties, required } = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  const listed = {
    type: 'object',
    ...describedFields(tool, properties),
    ...(required === undefined ? {} : { required }),
  };
  return listed as Tool['inputSchema'];
}

const KEPT = ['type', 'enum', 'default', 'minimum', 'maximum', 'required'];

function describedFields(tool: string, fields: JsonSchema['properties'] = {}): Pick<JsonSchema, 'properties'> {
  const described = Object.entries(fields).map(([name, field]): [string, JsonSchema] => [
    name,
    { ...shorten(tool, field), description: describeArgument(tool, name) },
  ]);
  return described.length === 0 ? {} : { properties: Object.fromEntries(described) };
}

function shorten(tool: string, { properties, items, ...schema }: JsonSchema): JsonSchema {
  return {
    ...Object.fromEntries(Object.entries(schema).filter(([name]) => KEPT.includes(name))),
    ...describedFields(tool, properties),
    ...(items === undefined ? {} : { items: shorten(tool, items) }),
  };
}
