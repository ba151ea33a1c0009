import { defined } from '../../src/values/defined.ts';

/* JSON Schema in few words, for what brokers document of their APIs. */

export const number = { type: 'number' };
export const integer = { type: 'integer' };
export const text = { type: 'string' };
export const flag = { type: 'boolean' };

export const nullable = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });

export const list = (items: object, most?: number) => ({
  type: 'array',
  items,
  ...defined({ maxItems: most }),
});

/** One of these words. */
export const oneOf = (words: string) => ({ enum: words.split(' ') });

/** The same for each of these names. */
export const each = (schema: object, names: string): Record<string, object> =>
  Object.fromEntries(names.split(' ').map((name) => [name, schema]));

/** It may have more than these. */
export const object = (required: Record<string, object>, optional: Record<string, object> = {}) => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
});

/** It has nothing but these. */
export const closed = (required: Record<string, object>, optional?: Record<string, object>) => ({
  ...object(required, optional),
  additionalProperties: false,
});
