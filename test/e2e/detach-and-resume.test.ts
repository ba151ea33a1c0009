import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.login();
});
afterAll(() => world.close());

describe('an order proposed by a detached run', () => {
  it('is pending with all it takes to go on, is placed once by resume, and not again by a second one', async () => {
    const run = await world.cli(['run', 'buy 5 AAPL', '--approval', 'detach', '--output', 'json']);
    expect(run.code, run.stderr).toBe(5);
    const pending = JSON.parse(run.stdout);
    expect(pending).toMatchObject({
      schema: 'trade-agent.run/1',
      status: 'pending',
      orders: [],
      approvals: [{ status: 'requested', order: { symbol: 'AAPL', side: 'buy', qty: '5', type: 'market' } }],
      resume: `trade-agent resume ${pending.thread}`,
    });
    const [approval] = pending.approvals;
    expect(approval.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(Date.parse(approval.expires_at)).toBeGreaterThan(Date.now());
    expect(await world.book()).toEqual(
      expect.not.arrayContaining([
        expect.objectContaining({ client_order_id: approval.order.client_order_id }),
      ]),
    );

    const phone = await world.cli([
      'phone',
      '--user',
      'alice',
      '--decide',
      'approve',
      '--once',
      '--output',
      'json',
    ]);
    expect(phone.code, phone.stderr).toBe(0);
    expect(phone.stdout).toContain(approval.code);

    const first = await world.cli(['resume', pending.thread, '--output', 'json']);
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      status: 'done',
      orders: [{ client_order_id: approval.order.client_order_id, symbol: 'AAPL', qty: '5' }],
      approvals: [{ id: approval.id, status: 'executed' }],
    });

    const second = await world.cli(['resume', pending.thread, '--output', 'json']);
    expect(second.code, second.stderr).toBe(0);
    const placed = (await world.book()).filter(
      (order) => order.client_order_id === approval.order.client_order_id,
    );
    expect(placed).toHaveLength(1);
  });

  it('stays pending when resumed without an answer, and can be cancelled', async () => {
    const pending = JSON.parse(
      (await world.cli(['run', 'buy 1 MSFT', '--approval', 'detach', '--output', 'json'])).stdout,
    );
    const again = await world.cli(['resume', pending.thread, '--approval', 'detach', '--output', 'json']);
    expect(again.code, again.stderr).toBe(5);
    const cancel = await world.cli(['approvals', 'cancel', pending.approvals[0].id]);
    expect(cancel.code, cancel.stderr).toBe(0);
    const list = JSON.parse((await world.cli(['approvals', 'list', '--output', 'json'])).stdout);
    expect(list.approvals).toContainEqual(
      expect.objectContaining({ id: pending.approvals[0].id, status: 'cancelled' }),
    );
    // The phone can still tap what a client can't take back; nothing may come of it.
    await world.cli(['phone', '--user', 'alice', '--decide', 'approve', '--once']);
    await world.cli(['resume', pending.thread, '--output', 'json']);
    expect(
      (await world.book()).filter(
        ({ client_order_id }) => client_order_id === pending.approvals[0].order.client_order_id,
      ),
    ).toEqual([]);
  });
});
