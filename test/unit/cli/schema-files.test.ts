import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildSchemaFiles } from '../../../src/cli/schema/json-schema.ts';

const folder = new URL('../../../docs/reference/schema/', import.meta.url);

describe('docs/reference/schema', () => {
  it('is what "node scripts/schemas.mjs" writes', () => {
    const written = Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
    );
    expect(written).toEqual(buildSchemaFiles());
  });
});
