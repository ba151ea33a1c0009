import { describe, expect, it } from 'vitest';
import type { InspectedMcpServer } from '../../../../../src/app/mcp/servers.ts';
import {
  chooseMcpTools,
  confirmMcpTools,
  createUnsafeToolsConfirmation,
} from '../../../../../src/cli/commands/mcp/mcp-servers.ts';
import type { Context } from '../../../../../src/cli/context/context.ts';
import { compareTools } from '../../../../../src/mcp/client/compared-tools.ts';

const tools = compareTools({ tools: [], pins: {}, unsafe: [] }, [
  { name: 'search', description: 'Searches \u001b[31mthe news.', inputSchema: { type: 'object' } },
  { name: 'hid\u200bden', inputSchema: { type: 'object' } },
  { name: 'post', inputSchema: { type: 'object' } },
]);
const looked: InspectedMcpServer = {
  name: 'news',
  protocol: '2026-07-28',
  about: { name: '', version: '' },
  tools,
};

/** A terminal at which somebody answers so. */
function terminal(...answers: string[]) {
  const said: string[] = [];
  const io = {
    interactive: answers.length > 0,
    talk: (line: string) => said.push(line),
    prompt: async (question: string) => {
      said.push(question);
      return answers.shift() ?? '';
    },
  };
  return { said, context: { io, signal: new AbortController().signal } as unknown as Context };
}

describe('which tools to allow', () => {
  it('is asked with what each says of itself, by numbers', async () => {
    const { said, context } = terminal('1, 2');
    expect(await chooseMcpTools(context, looked, [], false)).toEqual(['search', 'post']);
    expect(said.join('\n')).toContain('  search  (not allowed)\n      Searches the news.');
    expect(said).toContain('  2  post');
    expect(said.join('\n')).not.toMatch(/[\u001b\u200b]/);
  });

  it.each([
    ['none for Enter alone', [''], []],
    ['again for a number that there is not', ['7', '2'], ['post']],
    ['again for one that cannot be shown as it is', ['hid\u200bden', 'search'], ['search']],
  ])('is %s', async (_, answers, chosen) => {
    expect(await chooseMcpTools(terminal(...answers).context, looked, [], false)).toEqual(chosen);
  });

  it('is not asked where they are named, or nobody is there', async () => {
    expect(await chooseMcpTools(terminal('2').context, looked, ['search'], false)).toEqual(['search']);
    expect(await chooseMcpTools(terminal().context, looked, [], false)).toEqual([]);
  });
});

describe('what a tool says of itself now', () => {
  it('is shown before it is confirmed', async () => {
    const { said, context } = terminal('y');
    await confirmMcpTools(context, tools.slice(0, 1), false);
    expect(said[0]).toContain('Searches the news.');
  });

  it('is confirmed by nothing but a yes', async () => {
    await expect(confirmMcpTools(terminal('').context, tools, false)).rejects.toMatchObject({
      code: 'interrupted',
    });
    await expect(confirmMcpTools(terminal().context, tools, false)).rejects.toMatchObject({ code: 'usage' });
    await expect(confirmMcpTools(terminal().context, tools, true)).resolves.toBeUndefined();
  });
});

describe('a tool that could act past the phone', () => {
  const broker = compareTools({ tools: [], pins: {}, unsafe: [] }, [
    { name: 'place_stock_order', inputSchema: { type: 'object' } },
    { name: 'get_orders', inputSchema: { type: 'object' } },
  ]);

  it('is not among those to choose from, unless --unsafe says so', async () => {
    const alpaca = { ...looked, name: 'alpaca', tools: broker };
    const { said, context } = terminal('1');
    expect(await chooseMcpTools(context, alpaca, [], false)).toEqual(['get_orders']);
    expect(said.join('\n')).toContain('WARNING: this tool can place, change or cancel orders without your phone.');
    expect(await chooseMcpTools(terminal('1').context, alpaca, [], true)).toEqual(['place_stock_order']);
  });

  it('is allowed by nothing but its name, typed whole', async () => {
    const dangerous = broker.slice(0, 1);
    const { said, context } = terminal('alpaca place_stock_order');
    await createUnsafeToolsConfirmation(context)('alpaca', dangerous);
    expect(said.at(-1)).toBe('Type "alpaca place_stock_order" to allow it: ');
    for (const answer of ['', 'y', 'yes', 'place_stock_order', 'alpaca get_orders']) {
      const refused = createUnsafeToolsConfirmation(terminal(answer).context)('alpaca', dangerous);
      await expect(refused, answer).rejects.toMatchObject({ code: 'interrupted' });
    }
    await expect(createUnsafeToolsConfirmation(terminal().context)('alpaca', dangerous)).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
