import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { agentOperations } from '../../../../src/agent/remote/protocol.ts';
import { createOpenApiDocument } from '../../../../src/server/http/server-app.ts';

const document = createOpenApiDocument('https://agents.example', '1.2.3');

/** Every object in it, with where it stands. */
function* parts(value: unknown, at: string[] = []): Generator<[string[], Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Record<string, unknown>];
  for (const [key, inner] of Object.entries(value)) yield* parts(inner, [...at, key]);
}

describe('the OpenAPI document', () => {
  it('has every operation, each once, with what it takes and answers', () => {
    const paths = document.paths as Record<string, Record<string, { operationId: string }>>;
    const found = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
    );
    const expected = Object.entries(agentOperations).map(([name, { method, path }]) => `${name} ${method} ${path}`);
    expect(found.sort()).toEqual(expected.sort());
  });

  it('refers to nothing that is not in it', () => {
    const at = (ref: string) =>
      ref
        .slice(2)
        .split('/')
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
    const refs = [...parts(document)].flatMap(([, part]) => (typeof part.$ref === 'string' ? [part.$ref] : []));
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of refs) expect(at(ref), ref).toBeTypeOf('object');
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('says of itself where the server is, and how one is let in', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { version: '1.2.3' },
      servers: [{ url: 'https://agents.example' }],
      security: [{ dpop: [] }],
    });
  });

  it('has schemas that are JSON Schema 2020-12, for each body and answer', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ ...document, $id: 'https://agents.example/openapi.json' });
    const { schemas } = document.components as { schemas: Record<string, object> };
    for (const name of Object.keys(schemas)) {
      const validate = ajv.compile({
        $ref: `https://agents.example/openapi.json#/components/schemas/${name}`,
      });
      expect(validate(undefined), name).toBe(false);
    }
    const bodies = [...parts(document.paths)].filter(([at]) => at.at(-1) === 'schema');
    expect(bodies.length).toBeGreaterThan(30);
    for (const [at] of bodies) {
      const pointer = ['paths', ...at].map((key) =>
        encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')),
      );
      ajv.compile({ $ref: `https://agents.example/openapi.json#/${pointer.join('/')}` });
    }
  });
});
