import { PassThrough } from 'node:stream';
import { Client, type Transport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { McpCaller } from '../../../src/mcp/mcp-caller.ts';
import { serveMcpStdio } from '../../../src/mcp/stdio/serve-stdio.ts';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import type { GatewayEvent } from '../../../src/tools/gateway/event-requests.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import { VirtualClock } from '../../virtual-clock.ts';

/* What a client that started the program is told of its proposals. */

const proposal = (id: string, client: string) => ({ id, client, state: 'denied' }) as Proposal;
const known = (id: string) => {
  if (id.startsWith('pr_own')) return proposal(id, 'mine');
  return id === 'pr_other' ? proposal(id, 'other') : undefined;
};

/** The gateway's events, which a test sends; `opened` counts the streams of them. */
function gatewayOfEvents() {
  const sent: GatewayEvent[] = [];
  const state = { opened: 0, open: 0, wake: () => {} };
  const gateway: Partial<GatewayClient> = {
    proposal: async (id) => {
      const found = known(id);
      if (found === undefined) throw new TradeAgentError('not_found', 'there is no such proposal');
      return found;
    },
    async *events(until) {
      state.opened += 1;
      state.open += 1;
      until.addEventListener('abort', () => state.wake());
      try {
        yield { type: 'alive' };
        while (!until.aborted) {
          const next = sent.shift();
          if (next !== undefined) yield next;
          else await new Promise<void>((resolve) => (state.wake = resolve));
        }
      } finally {
        state.open -= 1;
      }
    },
  };
  const send = (...ids: string[]) => {
    for (const id of ids) {
      sent.push({ type: 'proposal', id: String(sent.length), proposal: known(id) as Proposal });
    }
    state.wake();
  };
  return { gateway: gateway as GatewayClient, state, send };
}

const over = (stdin: PassThrough, stdout: PassThrough): Transport => {
  let rest = '';
  const transport: Transport = {
    async start() {
      stdout.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) transport.onmessage?.(JSON.parse(line));
      });
    },
    send: async (message) => void stdin.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      stdin.end();
      transport.onclose?.();
    },
  };
  return transport;
};

const open: Client[] = [];
afterEach(() => Promise.all(open.splice(0).map((client) => client.close())));

async function connect(version: '2026-07-28' | 'legacy') {
  const { gateway, state, send } = gatewayOfEvents();
  const caller: McpCaller = {
    ...{ sub: 'alice', clientId: 'mine', owns: ({ client }) => client === 'mine', scopes: new Set(SESSION_SCOPES) },
    ...{ environment: 'paper', signedIn: undefined, gateway, hasImports: true },
  };
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const serving = serveMcpStdio(async () => caller, {
    ...{ stdin, stdout, signal, version: '0', readOnly: false, clock: new VirtualClock() },
  });
  const mode = version === 'legacy' ? version : { pin: version };
  const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } } as never);
  const told: string[] = [];
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri));
  await client.connect(over(stdin, stdout));
  open.push(client);
  return { client, serving, state, send, told };
}

describe('a client of 2025 over stdio', () => {
  it('is told of its own proposals that it subscribed to, until it unsubscribes', async () => {
    const { client, state, send, told } = await connect('legacy');
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: true });
    expect(state.opened).toBe(0);
    await client.subscribeResource({ uri: 'proposal://pr_own' });
    await expect.poll(() => state.open).toBe(1);
    send('pr_other', 'pr_own');
    await expect.poll(() => told).toEqual(['proposal://pr_own']);
    await client.unsubscribeResource({ uri: 'proposal://pr_own' });
    send('pr_own');
    await client.ping();
    expect(told).toHaveLength(1);
    expect(state.opened).toBe(1);
  });

  it.each(['proposal://pr_other', 'proposal://pr_none', 'portfolio://default', 'x'])(
    'can’t subscribe to %s',
    async (uri) => {
      const { client, state } = await connect('legacy');
      await expect(client.subscribeResource({ uri })).rejects.toMatchObject({ data: { uri } });
      expect(state.opened).toBe(0);
    },
  );
});

it('a client of 2025 over stdio subscribes to at most twenty resources', async () => {
  const { client } = await connect('legacy');
  const subscribe = (name: number) => client.subscribeResource({ uri: `proposal://pr_own${name}` });
  for (let name = 0; name < 20; name++) await subscribe(name);
  await expect(subscribe(20)).rejects.toThrow('at most 20 resources');
  await subscribe(19);
  await client.unsubscribeResource({ uri: 'proposal://pr_own0' });
  await subscribe(20);
});

describe('a client of 2026 over stdio', () => {
  it('is told of its own proposals, also when it names others, until it goes away', async () => {
    const { client, serving, state, send, told } = await connect('2026-07-28');
    const { honoredFilter } = await client.listen({
      resourceSubscriptions: ['proposal://pr_own', 'proposal://pr_other', 'portfolio://default'],
    });
    expect(honoredFilter).toEqual({ resourceSubscriptions: ['proposal://pr_own', 'proposal://pr_other'] });
    await expect.poll(() => state.open).toBe(1);
    send('pr_other', 'pr_own');
    await expect.poll(() => told).toEqual(['proposal://pr_own']);
    await client.close();
    await serving;
    await expect.poll(() => state.open).toBe(0);
  });

  it('follows at most twenty resources in each of four streams', async () => {
    const { client } = await connect('2026-07-28');
    const names = Array.from({ length: 30 }, (_, index) => `proposal://pr_${index}`);
    const { honoredFilter } = await client.listen({ resourceSubscriptions: names });
    expect(honoredFilter.resourceSubscriptions).toEqual(names.slice(0, 20));
    for (let stream = 1; stream < 4; stream++) await client.listen({ resourceSubscriptions: names });
    await expect(client.listen({ resourceSubscriptions: names })).rejects.toThrow('Subscription limit reached');
  });
});
