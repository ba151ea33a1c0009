import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { describeOpenOrder } from '../../../src/trading/open-order.ts';
import { sandboxWorld } from './sandbox-world.ts';
import { options, play } from './world.ts';

describe('on the sandbox', () => {
  const world = sandboxWorld();
  const { tap } = world;
  const ordersAtBroker = () =>
    world.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));

  it('an order goes from a sentence to the phone to a fill', async () => {
    const agent = await world.agent();
    const before = ordersAtBroker().length;
    const [{ result }, shown] = await Promise.all([
      play(agent.run({ prompt: 'buy 5 AAPL' }, options())),
      tap('approve'),
    ]);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '5', status: 'filled' }],
    });
    expect(shown.code).toBe(result.approvals[0]?.code);
    expect(shown.details).toMatchObject({
      subject: { qty: '5' },
      identifier: result.orders[0]?.client_order_id,
    });
    expect(ordersAtBroker()).toHaveLength(before + 1);
    expect(result.orders[0]).toMatchObject({ type: 'limit', approved_type: 'market' });
    const gateway = createGatewayClient(await world.session());
    const [listed] = await gateway.orders({ status: 'all' });
    expect(listed).toMatchObject({ type: 'limit', approved_type: 'market' });
    expect(await gateway.order(listed?.id ?? '')).toMatchObject({ approved_type: 'market' });
    expect(listed && describeOpenOrder(listed)).toMatch(/^BUY 5 AAPL MKT, at most \$[\d.]+$/);
  });

  it('a detached order is placed with nothing resumed; resumes of new processes only tell', async () => {
    const before = ordersAtBroker().length;
    const { result } = await play((await world.agent()).run({ prompt: 'sell half my MSFT' }, options('detach')));
    expect(result.status).toBe('pending');
    await tap('approve');
    await expect.poll(() => ordersAtBroker().length).toBe(before + 1);
    const first = await play((await world.agent()).resume(result.thread, options()));
    const second = await play((await world.agent()).resume(result.thread, options()));
    expect(first.result).toMatchObject({ status: 'done', orders: [{ symbol: 'MSFT', side: 'sell' }] });
    expect(second.result).toEqual(first.result);
    expect(ordersAtBroker()).toHaveLength(before + 1);
  });

  it('a price that moves before the tap is asked about again at the new price', async () => {
    const agent = await world.agent();
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 1 NVDA' }, options())),
      (async () => {
        const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
        const subject = request?.details.subject as { reference_price?: string } | undefined;
        const dearer = Number(subject?.reference_price) * 1.05;
        await fetch(`${world.sandbox.ready.broker}/admin/prices/NVDA`, {
          method: 'PUT',
          headers: {
            authorization: `Bearer ${world.sandbox.seed.admin_secret}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ price: dearer.toFixed(2) }),
        });
        await world.phone.decide(request?.id ?? '', 'approve');
        await tap('approve');
      })(),
    ]);
    expect(result.approvals.map(({ status }) => status)).toEqual(['blocked', 'executed']);
    expect(result.status).toBe('done');
  });

  it.each([
    ['buy 5 ZZZZZ', 'unknown_symbol'],
    ['buy 900000 AAPL', 'insufficient_funds'],
    ['quote ZZZZZ', 'unknown_symbol'],
    ['cancel order 61e69015-8549-4bfd-b9c3-01e75843f47d', 'not_found'],
  ])('%s ends with %s', async (prompt, code) => {
    const { result } = await play((await world.agent()).run({ prompt }, options()));
    expect(result).toMatchObject({ error: { code } });
    expect(await world.phone.requests('alice')).toEqual([]);
  });

  it('a resting order is listed and cancelled', async () => {
    const agent = await world.agent();
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 1 AAPL limit 1 gtc' }, options())),
      tap('approve'),
    ]);
    const id = result.orders[0]?.id ?? '';
    const listed = await play(agent.run({ prompt: 'open orders' }, options()));
    expect(listed.result.text).toContain(`| ${id.slice(0, 8)} | BUY 1 AAPL LMT 1 |`);
    // By what the list shows of its id.
    const cancelled = await play(agent.run({ prompt: `cancel order ${id.slice(0, 8)}` }, options()));
    expect(cancelled.result.orders).toMatchObject([{ id, status: expect.stringMatching(/cancel/) }]);
  });

  it('no token is in anything the agent wrote', () => {
    const jwt = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/;
    for (const file of readdirSync(world.folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = readFileSync(join(file.parentPath, file.name)).toString('latin1');
      expect(jwt.test(text), file.name).toBe(false);
    }
  });
});
