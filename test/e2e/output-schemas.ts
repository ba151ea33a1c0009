import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const folder = new URL('../../docs/reference/schema/', import.meta.url);
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });

/** The published schema, and one that allows nothing it does not name: a field that is not documented is a mistake. */
const validators = new Map<string, readonly ValidateFunction[]>(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
    .map((name) => {
      const schema = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object;
      return [name.replace('.json', ''), [ajv.compile(schema), ajv.compile(closed(schema) as object)]];
    }),
);

/** Schemas that some output was checked against. */
export const checkedSchemas = new Set<string>();

/**
 * Checks every line of a command's output that is a JSON object of ours against its schema in docs/reference/schema/.
 * @throws where one breaks it, or names one that is not there
 */
export function checkJson(stdout: string): void {
  for (const line of stdout.split('\n').filter((text) => /^\{".*\}$/.test(text))) {
    const object = JSON.parse(line) as { schema?: string; type?: string };
    const name = object.schema === undefined ? 'event' : object.schema.replace(/^trade-agent\.|\/1$/g, '');
    const checks = validators.get(name);
    if (checks === undefined) throw new Error(`docs/schema has no ${name}.json`);
    for (const check of checks) {
      if (!check(object)) throw new Error(`${name}: ${ajv.errorsText(check.errors)}\n${line}`);
    }
    checkedSchemas.add(name);
  }
}

export const schemaNames = [...validators.keys()];

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}
