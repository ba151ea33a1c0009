import { describe, expect, it } from 'vitest';
import { toolDefinitions } from '../../../src/agent/model/create-chat-model.ts';
import { findTools, tools } from '../../../src/tools/catalog.ts';

/*
 * What servers honour of a tool's schema. llama.cpp turns it into a grammar and skips in silence what it can't
 * (grammars/README.md, "JSON Schemas → GBNF"): patterns that are not anchored, `\d` and other classes, look-around,
 * `uniqueItems`, `not`, `if`, `patternProperties`, nested `$ref`s, formats it does not know. OpenAI's strict mode
 * (Structured Outputs, "Supported schemas") refuses `allOf`, `not`, `if`, a root that is no object, and nesting beyond
 * 10 levels.
 */
const unsupported = new Set(
  '$ref $defs definitions $anchor $dynamicRef not if then else allOf oneOf dependentSchemas dependentRequired patternProperties propertyNames unevaluatedProperties unevaluatedItems uniqueItems contains minContains maxContains prefixItems format contentEncoding contentMediaType'.split(
    ' ',
  ),
);

/** What is wrong with a schema, by where. */
function faults(schema: unknown, path = '', depth = 0): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const found: string[] = depth > 20 ? [`${path}: nested too deep`] : [];
  const { pattern, properties, additionalProperties, items, anyOf, ...more } = schema as Record<string, unknown>;
  for (const key of Object.keys(more)) if (unsupported.has(key)) found.push(`${path}: ${key}`);
  if (typeof pattern === 'string') {
    if (!/^\^[\s\S]*\$$/.test(pattern)) found.push(`${path}: the pattern is not anchored: ${pattern}`);
    if (/\\[dDwWsSbBpP]|\(\?[=!<:]|\\[1-9]/.test(pattern)) {
      found.push(`${path}: a class, look-around or reference in the pattern: ${pattern}`);
    }
  }
  if (properties !== undefined && anyOf !== undefined) found.push(`${path}: properties beside anyOf`);
  if (properties !== undefined && additionalProperties !== false) found.push(`${path}: open object`);
  for (const [name, each] of Object.entries((properties ?? {}) as object)) {
    found.push(...faults(each, `${path}.${name}`, depth + 1));
  }
  found.push(...faults(items, `${path}[]`, depth + 1));
  for (const each of (anyOf ?? []) as unknown[]) found.push(...faults(each, `${path}|`, depth + 1));
  return found;
}

describe('the schema of each tool, as it is sent', () => {
  it.each(toolDefinitions([findTools, ...tools]).map(({ function: tool }) => [tool.name, tool] as const))(
    '%s',
    (_, tool) => {
      expect(tool.name).toMatch(/^[a-z0-9_]{1,64}$/);
      expect(tool.description.length).toBeLessThanOrEqual(1024);
      expect(tool.parameters).toMatchObject({ type: 'object' });
      expect(faults(tool.parameters)).toEqual([]);
    },
  );

  it('would be found at fault', () => {
    const bad = {
      type: 'object',
      properties: {
        a: { type: 'string', pattern: '^\\d+$' },
        b: { type: 'string', pattern: '[0-9]' },
        c: { type: 'string', format: 'email' },
        d: { $ref: '#/$defs/x' },
        e: { type: 'string', pattern: '^(?!x)[a-z]$' },
      },
    };
    expect(faults(bad)).toHaveLength(6);
  });
});
