import { describe, expect, it } from 'vitest';
import { sharedMcpWorld } from './mcp-world.ts';

/* A client of 2025-06-18, by hand: what it sends, and no more. */

const { world, tokens } = sharedMcpWorld({ holdMs: 200 });

const VERSION = '2025-06-18';
const both = 'application/json, text/event-stream';

function send(body: unknown, headers: Record<string, string> = { 'mcp-protocol-version': VERSION }) {
  return fetch(world.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.alice}`,
      'content-type': 'application/json',
      accept: both,
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

async function resultOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  const { result } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as {
    result?: Record<string, unknown>;
  };
  if (result === undefined) throw new Error(`${response.status} ${text}`);
  return result;
}

const initialize = (protocolVersion: string, capabilities: object = {}) => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion, capabilities, clientInfo: { name: 'old', version: '1' } },
});
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('a client of 2025-06-18', () => {
  it('connects without that header, is answered in its revision, and keeps no session', async () => {
    const response = await send(initialize(VERSION), {});
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await resultOf(response)).toMatchObject({
      protocolVersion: VERSION,
      capabilities: { tools: {} },
      serverInfo: { name: 'trade-agent' },
    });
    const told = await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(told.status).toBe(202);
  });

  it('lists and calls with its revision in the header, and with none', async () => {
    for (const headers of [{ 'mcp-protocol-version': VERSION }, {}] as Record<string, string>[]) {
      expect((await resultOf(await send(list, headers))).tools).toHaveLength(31);
      const placing = { name: 'get_quote', arguments: { symbols: ['AAPL'] } };
      const quoted = await resultOf(
        await send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: placing }, headers),
      );
      expect(quoted.structuredContent).toMatchObject({ status: 'ok' });
      expect(quoted).not.toHaveProperty('resultType');
    }
  });

  it('is told pending_approval, never by a task, whatever it declares', async () => {
    await send(initialize(VERSION, { extensions: { 'io.modelcontextprotocol/tasks': {} } }), {});
    const params = { name: 'place_order', arguments: { symbol: 'AAPL', side: 'buy', qty: '1' } };
    const placed = await resultOf(await send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params }));
    expect(placed.structuredContent).toMatchObject({ status: 'pending_approval' });
    expect(placed).not.toHaveProperty('taskId');
    const task = await send({ jsonrpc: '2.0', id: 4, method: 'tasks/get', params: { taskId: 'x' } });
    await expect(resultOf(task)).rejects.toThrow('-32601');
  });

  it('of a revision that nobody knows is offered one that is served', async () => {
    const { protocolVersion } = await resultOf(await send(initialize('1999-01-01'), {}));
    expect(['2025-11-25', VERSION]).toContain(protocolVersion);
    const refused = await send(list, { 'mcp-protocol-version': '1999-01-01' });
    expect(refused.status).toBe(400);
  });

  it('that takes JSON alone, or sends none, is told so', async () => {
    expect((await send(list, { accept: 'application/json' })).status).toBe(406);
    expect((await send(list, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send('', {})).status).toBe(400);
  });

  it('with a session of somebody else’s making is served as one without', async () => {
    const response = await send(list, { 'mcp-session-id': 'made-up', 'mcp-protocol-version': VERSION });
    expect((await resultOf(response)).tools).toHaveLength(31);
  });
});
