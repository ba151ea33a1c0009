import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

/* A broker's own order tool, used by the language model with the broker's keys, would place orders past the phone. */

const program = fileURLToPath(new URL('../mcp-client/foreign-server.ts', import.meta.url));

const world = suiteCliWorld({ login: false });

const servers = (...args: string[]) => world.run(['mcp', 'servers', ...args]);
const add = (name: string, ...tools: string[]) =>
  servers(
    ...['add', name, '--command', process.execPath],
    ...tools.flatMap((tool) => ['--tool', tool]),
    ...['--', program, 'normal'],
  );
const allowed = async () => {
  const listed = JSON.parse((await servers('list', '--output', 'json')).stdout);
  return listed.servers.map(({ name, tools }: { name: string; tools: { name: string }[] }) => [
    name,
    tools.map((tool) => tool.name),
  ]);
};

describe('a tool that trades past the phone', () => {
  it('is refused by add and by allow, and nothing is written', async () => {
    const added = await add('alpaca', 'place_order');
    expect([added.exitCode, added.stderr]).toEqual([
      8,
      expect.stringContaining('place_order of alpaca can place, change or cancel orders without your phone'),
    ]);
    expect(await allowed()).toEqual([]);
    expect((await add('alpaca', 'search')).exitCode).toBe(0);
    const refused = await servers('allow', 'alpaca', 'place_order');
    expect(refused.exitCode).toBe(8);
    expect(refused.stderr).toContain('Nothing was allowed.');
    expect(await allowed()).toEqual([['alpaca', ['search']]]);
  });

  it('is refused with --unsafe too when allowing unsafe tools needs a terminal', async () => {
    const refused = await servers('allow', 'alpaca', 'place_order', '--unsafe');
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('allowing unsafe tools needs a terminal'),
    ]);
    expect(await allowed()).toEqual([['alpaca', ['search']]]);
  });
});
