import type { Client } from '@modelcontextprotocol/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyReceipt } from '../../../src/approval/receipts/verify-receipt.ts';
import { factsOf, sharedMcpWorld } from './mcp-world.ts';

/* What a client reads beside tools, whose it is, and what it is told of changes. */

const generous = { own: { open: 50, hour: 200 }, other: { open: 50, hour: 200 } };
const { world, tokens } = sharedMcpWorld({ holdMs: 200, quotas: generous });
const others = { ofAlice: '', ofBob: '', market: '' };
beforeAll(async () => {
  others.ofAlice = await world.token('other-bot', 'alice');
  others.ofBob = await world.token('helper-bot', 'bob');
  others.market = await world.token('helper-bot', 'alice', { scopes: ['market:read'] });
});

let asked = 0;
async function propose(client: Client) {
  asked += 1;
  const args = { symbol: 'KO', side: 'buy', qty: String(asked) };
  const { proposal_id, code } = factsOf(await client.callTool({ name: 'place_order', arguments: args }));
  return { id: proposal_id, uri: `proposal://${proposal_id}`, code };
}

async function read(client: Client, uri: string) {
  const { contents } = await client.readResource({ uri });
  expect(contents).toMatchObject([{ uri, mimeType: 'application/json' }]);
  return (contents[0] as { text: string }).text;
}
const facts = async (client: Client, uri: string) => JSON.parse(await read(client, uri)) as Record<string, unknown>;

/** Revision 2026-07-28, also for others: the SDK answers all of them so. */
const NOT_FOUND = -32602;

/** The URIs that a client is told have changed. */
function updates(client: Client): string[] {
  const told: string[] = [];
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri));
  return told;
}

describe.each(['2026-07-28', '2025-11-25'] as const)('the resources of a client of %s', (version) => {
  it('say what the tools say', async () => {
    const client = await world.connect(tokens.alice, { version });
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'portfolio://{account}',
      'proposal://{id}',
      'receipt://{id}',
    ]);
    const { id, uri } = await propose(client);
    const { resources } = await client.listResources();
    const portfolio = resources.find((one) => one.uri.startsWith('portfolio://'))?.uri ?? '';
    expect(resources.find((one) => one.uri === uri)?.title).toContain('KO');
    const check = { name: 'check_approval', arguments: { proposal_id: id, wait_seconds: 0 } };
    expect(await facts(client, uri)).toEqual(factsOf(await client.callTool(check)));
    const tool = factsOf(await client.callTool({ name: 'get_portfolio', arguments: { limit: 500 } }));
    for (const one of [portfolio, 'portfolio://default']) {
      expect(Object.keys(await facts(client, one)), one).toEqual(Object.keys(tool));
    }
  });

  it('have a receipt once the order was sent, which verifies by its text', async () => {
    const client = await world.connect(tokens.alice, { version });
    const { id, code } = await propose(client);
    await expect(read(client, `receipt://${id}`)).rejects.toMatchObject({ code: NOT_FOUND });
    const alice = await world.as('alice');
    await alice.tap(code);
    await alice.until(id, 'executed');
    const text = await read(client, `receipt://${id}`);
    expect(await verifyReceipt(text, () => true)).toMatchObject({ receipt: { proposal: { id } } });
  });

  it.each([
    ['another client of the same person', () => others.ofAlice],
    ['the same client of another person', () => others.ofBob],
    ['a client without the scope', () => others.market],
  ])('are not there for %s', async (_, token) => {
    const own = await world.connect(tokens.alice, { version });
    const { id, uri, code } = await propose(own);
    const alice = await world.as('alice');
    await alice.tap(code);
    await alice.until(id, 'executed');
    const client = await world.connect(token(), { version });
    const missing = { code: NOT_FOUND, data: { uri: 'proposal://pr_AAAAAAAAAAAAAAAA' } };
    await expect(read(client, 'proposal://pr_AAAAAAAAAAAAAAAA')).rejects.toMatchObject(missing);
    for (const one of [uri, `receipt://${id}`]) {
      await expect(read(client, one), one).rejects.toMatchObject({ ...missing, data: { uri: one } });
    }
    expect((await client.listResources()).resources.map((one) => one.uri)).not.toContain(uri);
  });

  it.each([
    'portfolio://nobody',
    'portfolio://',
    'proposal://pr_1/../x',
    'proposal://%E0%A4%A',
    'receipt://gr_AAAAAAAAAAAAAAAA',
    'file:///etc/passwd',
    `proposal://${'x'.repeat(5_000)}`,
  ])('are not found by %s', async (uri) => {
    const client = await world.connect(tokens.alice, { version });
    await expect(read(client, uri)).rejects.toMatchObject({ code: NOT_FOUND });
  });
});

describe('a subscription', () => {
  it('tells a client when its own proposal is decided, and nobody else', async () => {
    const client = await world.connect(tokens.alice);
    const other = await world.connect(others.ofAlice);
    const [told, toldOther] = [updates(client), updates(other)];
    const { id, uri, code } = await propose(client);
    const foreign = await propose(other);
    const { honoredFilter } = await client.listen({ resourceSubscriptions: [uri, foreign.uri, 'portfolio://default'] });
    expect(honoredFilter).toEqual({ resourceSubscriptions: [uri] });
    await other.listen({ resourceSubscriptions: [uri, foreign.uri] });
    const alice = await world.as('alice');
    await alice.tap(code, 'deny');
    await expect.poll(() => told).toContain(uri);
    expect(await facts(client, uri)).toMatchObject({ status: 'denied' });
    await alice.tap(foreign.code, 'deny');
    await expect.poll(() => toldOther).toContain(foreign.uri);
    expect([new Set(told), new Set(toldOther)]).toEqual([new Set([uri]), new Set([foreign.uri])]);
    expect(id).not.toBe(foreign.id);
  });

  it('that names nothing of the client’s ends at once', async () => {
    const client = await world.connect(tokens.alice);
    const listening = await client.listen({ resourceSubscriptions: ['proposal://pr_AAAAAAAAAAAAAAAA'] });
    expect(listening.honoredFilter).toEqual({});
    expect(await listening.closed).toBe('graceful');
  });

  it('is bounded: four streams of a client, twenty resources each; a closed stream makes room', async () => {
    const client = await world.connect(others.ofBob);
    const { uri } = await propose(client);
    const names = Array.from({ length: 21 }, (_, index) => `proposal://pr_${index}`);
    await expect(client.listen({ resourceSubscriptions: names })).rejects.toThrow('at most 20 resources');
    const open = [];
    for (let stream = 0; stream < 4; stream++) open.push(await client.listen({ resourceSubscriptions: [uri] }));
    await expect(client.listen({ resourceSubscriptions: [uri] })).rejects.toThrow('too many subscriptions');
    await open[0]?.close();
    await expect
      .poll(() =>
        client.listen({ resourceSubscriptions: [uri] }).then(
          () => 'open',
          () => 'refused',
        ),
      )
      .toBe('open');
  });

  it('is offered only where the client can be told', async () => {
    const older = await world.connect(tokens.alice, { version: '2025-11-25' });
    expect(older.getServerCapabilities()?.resources).toEqual({});
    const newer = await world.connect(tokens.alice);
    expect(newer.getServerCapabilities()?.resources).toEqual({ subscribe: true });
  });
});
