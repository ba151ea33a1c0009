import { beforeAll, describe, expect, it } from 'vitest';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { sharedMcpWorld } from './mcp-world.ts';
import { rpc, tasksExtension } from './rpc.ts';

/* The tools that change or send something: what they need, what they say of themselves, and what they do. */

type Facts = Record<string, unknown> & { status: string; order: Record<string, unknown> };

const generous = { own: { open: 50, hour: 200 }, other: { open: 50, hour: 200 } };
const { world, tokens } = sharedMcpWorld({ holdMs: 200, quotas: generous });

/** Text and structure are equal. */
function factsOf(result: Record<string, unknown>): Facts {
  const facts = result.structuredContent as Facts;
  const [content] = result.content as [{ text: string }];
  expect(JSON.parse(content.text)).toEqual(facts);
  expect(facts).toMatchObject({ environment: 'paper', message: expect.any(String) });
  return facts;
}

const refused = (result: Record<string, unknown>, error: string) =>
  expect(factsOf(result)).toMatchObject({ status: 'error', error });

const call = (name: string, args: object, { as = tokens.alice, capabilities = {} as object } = {}) =>
  rpc({ url: world.url, token: as, capabilities }, 'tools/call', { name, arguments: args });
const granted = (...scopes: string[]) => world.token('helper-bot', 'alice', { scopes });

async function approved(name: string, args: object, decision: 'approve' | 'deny' = 'approve'): Promise<Facts> {
  const { taskId } = await call(name, args, { capabilities: tasksExtension });
  const alice = await world.as('alice');
  const { code } = await alice.proposal(String(taskId));
  await alice.tap(code, decision);
  for (;;) {
    const look = { proposal_id: taskId, wait_seconds: 20 };
    const facts = factsOf(await call('check_approval', look));
    if (facts.status === 'executed' || facts.status === 'denied') return facts;
  }
}

async function resting(order: object): Promise<string> {
  const facts = await approved('place_order', { qty: '1', time_in_force: 'gtc', ...order });
  return String(facts.order.id);
}
const low = { symbol: 'AAPL', side: 'buy', type: 'limit' };
const protects = { symbol: 'NVDA', side: 'sell', type: 'limit' };
const statusOf = async (id: string) => {
  const { orders } = factsOf(await call('list_orders', { status: 'all' }));
  return (orders as { id: string; status: string }[]).find((one) => one.id === id)?.status;
};

describe('replace_order', () => {
  it('asks the person, and changes the order once they approve', async () => {
    const order_id = await resting({ ...low, limit_price: '11' });
    const facts = await approved('replace_order', { order_id, limit_price: '12' });
    expect(facts).toMatchObject({ status: 'executed', kind: 'replace', order: { limit_price: '12' } });
    expect(await statusOf(order_id)).toBe('replaced');
  });

  it('changes nothing that is denied', async () => {
    const order_id = await resting({ ...low, limit_price: '13' });
    const facts = await approved('replace_order', { order_id, qty: '2' }, 'deny');
    expect(facts.status).toBe('denied');
    expect(await statusOf(order_id)).toBe('new');
  });

  it('is refused with nothing to change, and for an order that is not there', async () => {
    refused(await call('replace_order', { order_id: 'x' }), 'invalid_order');
    refused(await call('replace_order', { order_id: crypto.randomUUID(), qty: '2' }), 'not_found');
  });

  it('needs the scope that asks', async () => {
    const as = await granted('orders:read', 'orders:cancel');
    refused(await call('replace_order', { order_id: 'x', qty: '2' }, { as }), 'insufficient_scope');
  });
});

describe('cancel_order', () => {
  it('cancels at once what protects nothing', async () => {
    const order_id = await resting({ ...low, limit_price: '14' });
    const cancelled = await call('cancel_order', { order_id });
    expect(cancelled.isError).toBeUndefined();
    expect(factsOf(cancelled)).toMatchObject({ status: 'ok', order: { id: order_id } });
    expect(await statusOf(order_id)).toBe('canceled');
  });

  it('asks the person about what protects a position', async () => {
    const order_id = await resting({ ...protects, limit_price: '900' });
    const facts = factsOf(await call('cancel_order', { order_id }));
    expect(facts).toMatchObject({ status: 'pending_approval', kind: 'cancel' });
    expect(await statusOf(order_id)).toBe('new');
    const alice = await world.as('alice');
    await alice.tap(String(facts.code));
    await alice.until(String(facts.proposal_id), 'executed');
    expect(await statusOf(order_id)).toBe('canceled');
  });

  it('says that it takes an approval where the client may not ask for one', async () => {
    const order_id = await resting({ ...protects, limit_price: '901' });
    const as = await granted('orders:read', 'orders:cancel');
    refused(await call('cancel_order', { order_id }, { as }), 'approval_required');
    expect(await statusOf(order_id)).toBe('new');
  });

  it('needs the scope that cancels', async () => {
    const as = await granted('orders:read', 'orders:propose');
    refused(await call('cancel_order', { order_id: 'x' }, { as }), 'insufficient_scope');
  });
});

describe('send_summary', () => {
  beforeAll(async () => {
    knowRecipients(world.sandbox.ready.home, 'slack:#trading');
    await (await world.as('alice')).connect('slack', ['chat:write']);
  });
  const summary = { service: 'slack', recipient: '#trading', note: 'Sent by a test.' };

  it('asks the person with all of the text, and sends nothing that they deny', async () => {
    const facts = factsOf(await call('send_summary', summary));
    expect(facts).toMatchObject({ status: 'pending_approval', kind: 'message', worst_case: null });
    const alice = await world.as('alice');
    const { subject } = await alice.proposal(String(facts.proposal_id));
    expect(subject).toMatchObject({ service: 'slack', recipient: '#trading' });
    expect((subject as { text: string }).text).toContain('Sent by a test.');
    await alice.tap(String(facts.code), 'deny');
    await alice.until(String(facts.proposal_id), 'denied');
  });

  it('sent again is the same proposal, although its figures have moved', async () => {
    const at = { url: world.url, token: tokens.alice, capabilities: {} };
    const again = () => rpc(at, 'tools/call', { name: 'send_summary', arguments: summary }, 's-1');
    const first = factsOf(await again());
    await approved('place_order', { symbol: 'AAPL', side: 'buy', qty: '1' });
    expect(factsOf(await again()).proposal_id).toBe(first.proposal_id);
  });

  it('is the same under the client’s own key too, and another one a conflict', async () => {
    const own = { ...summary, idempotency_key: 'summary-1', note: 'Once.' };
    const first = factsOf(await call('send_summary', own));
    await approved('place_order', { symbol: 'AAPL', side: 'buy', qty: '1' });
    expect(factsOf(await call('send_summary', own)).proposal_id).toBe(first.proposal_id);
    for (const changed of [{ note: 'Twice.' }, { note: undefined }, { recipient: '#other' }])
      refused(await call('send_summary', { ...own, ...changed }), 'idempotency_key_conflict');
  });

  it('needs the scope that asks, and the one that sees the portfolio', async () => {
    for (const scope of ['portfolio:read', 'orders:propose']) {
      const as = await granted('orders:read', scope);
      refused(await call('send_summary', summary, { as }), 'insufficient_scope');
    }
  });
});

describe('close_position', () => {
  it('asks the person about as many shares as are held, once under one key', async () => {
    const { positions } = factsOf(await call('get_portfolio', {})) as unknown as {
      positions: { symbol: string; qty_available: string }[];
    };
    const held = positions.find(({ symbol }) => symbol === 'KO')?.qty_available;
    const close = { symbol: 'KO', idempotency_key: 'close-ko' };
    const facts = factsOf(await call('close_position', close));
    expect(facts).toMatchObject({ status: 'pending_approval', kind: 'order' });
    const alice = await world.as('alice');
    const { subject } = await alice.proposal(String(facts.proposal_id));
    expect(subject).toMatchObject({ symbol: 'KO', side: 'sell', qty: held });
    expect(factsOf(await call('close_position', close)).proposal_id).toBe(facts.proposal_id);
    await alice.tap(String(facts.code), 'deny');
  });

  it('is refused where nothing is held, and needs the scopes that ask and that see', async () => {
    refused(await call('close_position', { symbol: 'TSLA' }), 'invalid_order');
    const as = await granted('orders:read', 'orders:propose');
    refused(await call('close_position', { symbol: 'KO' }, { as }), 'insufficient_scope');
  });
});

describe('get_news', () => {
  it('is marked as somebody else’s words', async () => {
    const facts = factsOf(await call('get_news', { symbols: ['AAPL'] }));
    const untrusted = expect.stringContaining('news');
    expect(facts).toMatchObject({ status: 'ok', simulated: true, untrusted });
  });
});

describe('what tools say of themselves', () => {
  it('is that one of them alone may destroy something without a tap', async () => {
    const { tools } = (await rpc({ url: world.url, token: tokens.alice }, 'tools/list')) as {
      tools: { name: string; annotations: { readOnlyHint: boolean; destructiveHint: boolean } }[];
    };
    const hinted = (hint: 'readOnlyHint' | 'destructiveHint', is: boolean) =>
      tools.filter(({ annotations }) => annotations[hint] === is).map(({ name }) => name);
    expect(hinted('destructiveHint', true)).toEqual(['cancel_order']);
    expect(hinted('readOnlyHint', false).sort()).toEqual([
      ...['cancel_order', 'close_position', 'place_order', 'replace_order', 'send_summary'],
      'withdraw_proposal',
    ]);
  });
});
