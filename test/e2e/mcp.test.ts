import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, describe, expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';
import { launcher } from './world.ts';

const world = suiteWorld();

type Facts = Record<string, unknown> & { status: string; code: string; proposal_id: string };
const factsOf = (result: unknown) => (result as { structuredContent: Facts }).structuredContent;

/** The built program as an MCP client starts it, spoken to by hand in the 2026-07-28 revision. */
interface Spoken {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  ask(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
}

const running: Spoken['child'][] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function speak(more: object = {}): Spoken {
  const child = spawn(process.execPath, [launcher, 'mcp'], {
    env: world.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.push(child);
  const waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  createInterface(child.stdout).on('line', (line) => {
    const answer = JSON.parse(line) as { id?: number; result?: Record<string, unknown>; error?: object };
    waiting.get(answer.id ?? -1)?.(answer.result ?? { error: answer.error });
  });
  let id = 0;
  return {
    child,
    ask(method, params) {
      id += 1;
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {
          extensions: { 'io.modelcontextprotocol/tasks': {} },
          ...more,
        },
      };
      const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } })}\n`);
      return promise;
    },
  };
}

async function tap(code: string): Promise<void> {
  for (;;) {
    const shown = await world.phone.requests('alice', { waitSeconds: 5 }).catch(() => []);
    const request = shown.find((one) => one.code === code);
    if (request === undefined) continue;
    await world.phone.decide(request.id, 'approve');
    return;
  }
}

describe('trade-agent mcp', () => {
  it('serves a client of the official SDK, and ends with it', async () => {
    const client = new Client({ name: 'sdk', version: '1' });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [launcher, 'mcp', '--read-only'],
        env: world.env as Record<string, string>,
      }),
    );
    expect((await client.listTools()).tools).toHaveLength(26);
    const portfolio = await client.callTool({ name: 'get_portfolio', arguments: {} });
    expect(factsOf(portfolio)).toMatchObject({ environment: 'paper', status: 'ok' });
    await client.close();
  });

  it('shows where an account is connected, and waits for it no longer than its client is there', async () => {
    const { child, ask } = speak({ elicitation: { url: {} } });
    const summary = { name: 'send_summary', arguments: { service: 'slack', recipient: '#trading' } };
    const asked = await ask('tools/call', summary);
    const { connect } = asked.inputRequests as { connect: { params: { url: string } } };
    expect(connect.params.url).toMatch(/\/connections\/connect\?ticket=/);
    // Another call is shown the same link.
    expect((await ask('tools/call', summary)).inputRequests).toEqual(asked.inputRequests);
    const { requestState } = asked;
    const inputResponses = { connect: { action: 'cancel' } };
    const refused = await ask('tools/call', { ...summary, requestState, inputResponses });
    expect(factsOf(refused)).toMatchObject({ error: 'connection_required' });
    child.stdin.end();
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it('gateway and client killed hard under an open task: one order, and the next look tells the truth', async () => {
    const first = speak();
    const args = { symbol: 'AAPL', side: 'buy', qty: '3', idempotency_key: 'once' };
    const place = (with_: Spoken) => with_.ask('tools/call', { name: 'place_order', arguments: args });
    const { taskId, statusMessage } = await place(first);
    const code = /^Code (\w{4})/.exec(String(statusMessage))?.[1] ?? '';
    await world.killSandbox();
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    await world.restartSandbox();

    const second = speak();
    const look = async () => second.ask('tasks/get', { taskId });
    await expect.poll(look, { timeout: 20_000 }).toMatchObject({ status: 'working' });
    // A client that lost the answer sends it again.
    expect((await place(second)).taskId).toBe(taskId);
    await tap(code);
    await world.killSandbox();
    await world.restartSandbox();
    // A request to the broker that may have been lost is given half a minute to arrive.
    const tapAndLook = async () => {
      const shown = await world.phone.requests('alice').catch(() => []);
      for (const { id } of shown) await world.phone.decide(id, 'approve').catch(() => undefined);
      return look();
    };
    await expect.poll(tapAndLook, { timeout: 60_000, interval: 500 }).toMatchObject({ status: 'completed' });
    expect(factsOf((await look()).result)).toMatchObject({ status: 'executed' });
    expect(factsOf(await place(second)).proposal_id).toBe(taskId);
    const placed = (await world.book()).filter(({ symbol, qty }) => symbol === 'AAPL' && qty === '3');
    expect(placed).toHaveLength(1);
  }, 120_000);
});
