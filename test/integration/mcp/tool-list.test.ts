import type { Tool } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { sharedMcpWorld } from './mcp-world.ts';
import { everyTool } from './output-check.ts';

/* The list of tools is what a client's model reads before anything else. */

const { world, tokens } = sharedMcpWorld();

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Arguments by path, also those inside of lists. */
function argumentsOf(schema: Schema, path: string): [string, Schema][] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]): [string, Schema][] => [
    [`${path}.${name}`, field],
    ...argumentsOf(field, `${path}.${name}`),
  ]);
  return schema.items === undefined ? own : [...own, ...argumentsOf(schema.items, path)];
}

const tools = async (): Promise<Tool[]> => (await (await world.connect(tokens.alice)).listTools()).tools;

describe('the list of tools', () => {
  it('describes every argument, and names every one that the tool takes', async () => {
    const listed = await tools();
    const found = listed.flatMap(({ name, inputSchema }) => argumentsOf(inputSchema as Schema, name));
    expect(found.length).toBeGreaterThan(100);
    expect(found.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([]);
    for (const { name, inputSchema } of listed) {
      const shape = everyTool.find((tool) => tool.name === name)?.schema.shape ?? {};
      expect(Object.keys(inputSchema.properties ?? {}), name).toEqual(Object.keys(shape));
    }
  });

  it('takes at most 5,000 tokens of a model, at four characters each', async () => {
    const shown = (await tools()).map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(JSON.stringify(shown).length / 4).toBeLessThanOrEqual(5_000);
  });

  it('names no tool that a client does not have', async () => {
    const listed = await tools();
    const names = listed.map(({ name }) => name);
    const mentioned = listed.flatMap(({ description = '' }) => description.match(/\b[a-z]+(_[a-z]+)+\b/g) ?? []);
    expect(mentioned).toContain('place_order');
    const others = ['place_orders', 'get_market_clock', 'search_tools'].filter((name) => mentioned.includes(name));
    expect(others).toEqual([]);
    expect(names).not.toContain('place_orders');
  });
});
