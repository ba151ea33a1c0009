import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import { tools } from '../../../src/tools/catalog.ts';

/** What every tool must keep to: a new one stands in the catalog, and runs against all of this. */
describe.each(tools.map((tool) => [tool.name, tool] as const))('the tool %s', (name, tool) => {
  it('has a name of its own, as models write names', () => {
    expect(name).toMatch(/^[a-z][a-z0-9_]{2,40}$/);
    expect(tools.filter((other) => other.name === name)).toHaveLength(1);
  });

  it('has a title of its own, as people say what they do', () => {
    expect(tool.title).toMatch(/^[A-Z][a-z]+( [a-zA-Z-]+)+$/);
    expect(tools.filter(({ title }) => title === tool.title)).toHaveLength(1);
  });

  it('says in a sentence what it does', () => {
    expect(tool.description).toMatch(/^[A-Z].{20,400}\.$/s);
  });

  it('takes an object, and no field that it does not name', () => {
    const schema = z.toJSONSchema(tool.schema, { io: 'input' });
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('asks for no more than a session has', () => {
    for (const scope of tool.scopes) expect(SESSION_SCOPES).toContain(scope);
  });

  it('acts by itself only where it reads or reduces', () => {
    expect('execute' in tool).toBe(['read', 'reduce', 'keep', 'local'].includes(tool.risk));
  });

  it('does nothing for somebody who is not signed in', async () => {
    if (!('execute' in tool)) return;
    await expect(tool.execute({ session: undefined, gateway: undefined }, {})).rejects.toMatchObject({
      code: 'login_required',
    });
  });
});

it('makes schemas when they are used: all tools together are loaded with no more than a few', () => {
  const load = `
    import { z } from 'zod';
    let made = 0;
    z.config({ postProcessor: () => { made++; } });
    await import('./src/tools/catalog.ts');
    console.log(made);
  `;
  const root = new URL('../../..', import.meta.url);
  const args = ['--input-type=module', '--eval', load];
  const made = Number(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 20_000 }));
  expect(made).toBeGreaterThan(tools.length);
  // Each takes some 8 µs, and had grown to 610.
  expect(made).toBeLessThan(250);
});
