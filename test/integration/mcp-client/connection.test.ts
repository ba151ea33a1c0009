import { describe, expect, it, onTestFinished } from 'vitest';
import type { McpServerConfig } from '../../../src/config/mcp-servers.ts';
import { connectMcpServer, MAX_RESULT_BYTES, type McpServerConnection } from '../../../src/mcp/client/connection.ts';
import type { McpServerLimits } from '../../../src/mcp/client/server-access.ts';
import { access, child, listening, overHttp } from './servers.ts';

const { signal } = new AbortController();

async function connect(server: McpServerConfig, limits: Partial<McpServerLimits> = {}): Promise<McpServerConnection> {
  const connection = await connectMcpServer(access(server, limits), signal);
  onTestFinished(() => connection.close());
  return connection;
}

const failing = (promise: Promise<unknown>, why: string) =>
  expect(promise).rejects.toMatchObject({ code: 'mcp_server_failed', message: `MCP server news: ${why}` });
const search = (connection: McpServerConnection) => connection.call('search', { query: 'KO' }, signal);

describe('a server', () => {
  it.each([
    ['a program', async () => child('normal').server],
    ['an address', () => overHttp('normal')],
  ])('that is %s is listed and called, by the revision of 2026', async (_, start) => {
    const connection = await connect(await start());
    expect(connection.protocol).toBe('2026-07-28');
    expect((await connection.tools(signal)).map(({ name }) => name)).toEqual(['search', 'place_order']);
    expect(await search(connection)).toEqual({ ok: true, text: 'found {"query":"KO"}', cut: false });
  });

  it('from before 2026 that ends at a word it does not know is spoken to as before', async () => {
    const connection = await connect(child('strict').server);
    expect(connection.protocol).toBe('2025-11-25');
    expect(await search(connection)).toMatchObject({ text: 'found it the old way' });
  });

  it('gets a name that shows as what it is', async () => {
    expect((await connect(child('normal').server)).about).toEqual({ name: 'news', version: '1.0' });
  });

  it('that ends with its connection is gone, whatever it would rather do', async () => {
    const { server, isAlive } = child('normal');
    const connection = await connect(server);
    expect(isAlive()).toBe(true);
    await connection.close();
    expect(isAlive()).toBe(false);
  });
});

describe('a server that hangs costs a message, and is ended', () => {
  it('at initialize', async () => {
    const { server, isAlive } = child('hang-initialize');
    const connecting = connectMcpServer(access(server, { probeMs: 300, connectMs: 3_000 }), signal);
    await failing(connecting, 'it did not respond in time');
    expect(isAlive()).toBe(false);
  });

  it('at initialize, over HTTP', async () => {
    const server = await listening(() => undefined);
    const connecting = connectMcpServer(access(server, { connectMs: 500 }), signal);
    await failing(connecting, 'it did not respond in time');
  });

  it('at the list of its tools', async () => {
    const connection = await connect(child('hang-list').server, { listMs: 300 });
    await failing(connection.tools(signal), 'it did not respond in time');
  });

  it('in a call', async () => {
    const connection = await connect(child('hang-call').server, { callMs: 300 });
    await failing(search(connection), 'it did not respond in time');
  });

  it('in a call that the person ends', async () => {
    const connection = await connect(child('hang-call').server);
    const stop = new AbortController();
    const calling = connection.call('search', { query: 'KO' }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(calling).rejects.toThrow('enough');
  });
});

describe('a server that dies', () => {
  it('in a call costs a message', async () => {
    const connection = await connect(child('die-call').server);
    await failing(search(connection), 'it ended the connection');
  });

  it('or was never there, is told as what it is', async () => {
    const { server } = child('normal', { command: '/no/such/program' });
    await failing(connectMcpServer(access(server), signal), 'the program was not found');
  });

  it('or was never there, over HTTP', async () => {
    const server = { ...(await overHttp('normal')), url: 'http://127.0.0.1:9/mcp' };
    await failing(connectMcpServer(access(server), signal), 'it could not be reached');
  });
});

describe('what a server says too much of', () => {
  it('is cut at 32 KiB', async () => {
    const { text, cut } = await search(await connect(child('long').server));
    expect(cut).toBe(true);
    expect(text).toHaveLength(MAX_RESULT_BYTES + '\n[truncated: the result had 1000000 bytes]'.length);
  });

  it.each([
    ['a program', async () => child('big').server],
    ['an address', () => overHttp('big')],
  ])('ends the connection at 10 MB of %s', async (_, start) => {
    const connection = await connect(await start());
    await failing(search(connection), 'it sent more than 4 MiB at once');
  });

  it('ends it where a line never ends', async () => {
    const { server, isAlive } = child('endless-line');
    await failing(connectMcpServer(access(server), signal), 'it sent more than 4 MiB at once');
    expect(isAlive()).toBe(false);
  });

  it('ends it where messages never end', async () => {
    const { server, isAlive } = child('endless-messages');
    await failing(connectMcpServer(access(server, { probeMs: 300 }), signal), 'it sent too many messages');
    expect(isAlive()).toBe(false);
  });

  it('ends it where a stream of events never ends', async () => {
    const server = await listening((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const write = () => {
        while (response.write(`: ${'x'.repeat(64 * 1024)}\n`));
        response.once('drain', write);
      };
      write();
    });
    await failing(connectMcpServer(access(server, { connectMs: 10_000 }), signal), 'it sent more than 4 MiB at once');
  });
});

describe('what a server answers', () => {
  it('draws, rings and hides nothing', async () => {
    expect(await search(await connect(child('ansi').server))).toMatchObject({ text: 'up 5%' });
  });
});

describe('what a server is given', () => {
  it('is no variable of ours, and no other than those that are named', async () => {
    const { server } = child('env', { env: ['NEWS_REGION'] });
    const env = {
      ...process.env,
      NEWS_REGION: 'eu',
      TRADE_AGENT_REFRESH_TOKEN_FILE: '/secret',
      OPENAI_API_KEY: 'sk-planted',
    };
    const before = { ...process.env };
    Object.assign(process.env, env);
    onTestFinished(() => {
      for (const name of Object.keys(env)) if (before[name] === undefined) delete process.env[name];
    });
    const connection = await connectMcpServer({ ...access(server), env }, signal);
    onTestFinished(() => connection.close());
    const seen = JSON.parse((await search(connection)).text) as Record<string, string>;
    const usual = ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'];
    expect(Object.keys(seen).filter((name) => !usual.includes(name))).toEqual(['NEWS_REGION']);
    expect(seen.NEWS_REGION).toBe('eu');
  });

  it('is no answer to what it asks the person, the model or the machine', async () => {
    const { text } = await search(await connect(child('asks').server));
    expect(text).toBe('-32601 -32601 -32601');
  });

  it('is told that nothing of the kind can be asked', async () => {
    const connection = await connect(await overHttp('asks-again'));
    const { ok, text } = await search(connection);
    expect(ok).toBe(false);
    expect(text).toContain('client capabilities do not declare');
  });
});
