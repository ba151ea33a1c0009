import { describe, expect, it } from 'vitest';
import { cancelOrder, findOrder, listOrders, locateOrder } from '../../../../src/app/orders/orders.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { ProposalRequestInput } from '../../../../src/trading/proposal.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { appWith, entry, notFound } from '../accounts/several.ts';

const IN_FIRST = '11111111-0000-4000-8000-000000000000';
const IN_SECOND = '22222222-0000-4000-8000-000000000000';
const both = [entry('A1', 'Alpaca', true), entry('B2', 'Tradier')];

/** Ids by account; `down`: that broker says nothing. */
function books(held: Readonly<Record<string, readonly string[] | 'down'>>, done: string[] = []) {
  const idsOf = (account: string): readonly string[] => {
    const ids = held[account] ?? [];
    if (ids === 'down') throw new TradeAgentError('broker_unreachable', 'the broker does not answer');
    return ids;
  };
  const order = (id: string, at = '2026-11-26T15:00:00Z') => ({ id, submitted_at: at }) as Order;
  return (account: string) => ({
    orders: async () => idsOf(account).map((id) => order(id, `2026-11-26T15:00:0${id[0]}Z`)),
    order: async (id: string) => {
      done.push(`${account} order`);
      if (!idsOf(account).includes(id)) throw notFound();
      return order(id);
    },
    cancelOrder: async (id: string) => {
      done.push(`${account} cancel`);
      if (!idsOf(account).includes(id)) throw notFound();
      throw new TradeAgentError('gateway_refused', 'it protects', {
        details: { problem: 'approval_required' },
      });
    },
  });
}

describe('an order of a person with two accounts', () => {
  it.each([IN_SECOND, '2222'])('is found by %s in the one that has it', async (typed) => {
    const app = appWith(both, books({ A1: [IN_FIRST], B2: [IN_SECOND] }));
    expect(await locateOrder(app, typed)).toMatchObject({
      id: IN_SECOND,
      at: { account: 'B2', broker: 'tradier', label: 'Tradier' },
    });
    expect(await findOrder(app, typed)).toMatchObject({ id: IN_SECOND, account: 'B2', label: 'Tradier' });
  });

  it('is looked for in the account that was named alone', async () => {
    const app = appWith(both, books({ A1: [IN_FIRST], B2: [IN_SECOND] }), { meant: 'A1' });
    expect((await locateOrder(app, IN_SECOND)).at).toBeUndefined();
    await expect(findOrder(app, IN_SECOND)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is none where no account has it', async () => {
    const app = appWith(both, books({ A1: [IN_FIRST], B2: [] }));
    await expect(locateOrder(app, IN_SECOND)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('none of your accounts'),
    });
  });

  it('that both have is not guessed: brokers that count their orders have the same numbers', async () => {
    const app = appWith(both, books({ A1: ['1234567'], B2: ['1234567'] }));
    await expect(locateOrder(app, '1234567')).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('--account A1 or --account B2'),
    });
  });

  it.each([
    ['an id that may be of two', '1234567'],
    ['the beginning of one', '1111'],
    ['one that no other account has', IN_SECOND],
  ])('is not guessed by %s while an account can’t be read', async (_, typed) => {
    const app = appWith(both, books({ A1: ['1234567', IN_FIRST], B2: 'down' }));
    await expect(locateOrder(app, typed)).rejects.toMatchObject({
      code: 'gateway_refused',
      message: expect.stringContaining('Tradier'),
    });
  });

  it('is found by its whole id although another account can’t be read: nobody else has that id', async () => {
    const app = appWith([both[0] as never, entry(null, 'Tradier')], books({ A1: [IN_FIRST] }));
    expect((await locateOrder(app, IN_FIRST)).at?.account).toBe('A1');
  });

  it('is cancelled where it is, and the question names that account', async () => {
    const done: string[] = [];
    const app = appWith(both, books({ A1: [IN_FIRST], B2: [IN_SECOND] }, done));
    const asked: ProposalRequestInput[] = [];
    await cancelOrder(app, IN_SECOND, async (request) => {
      asked.push(request);
      return { status: 'pending', key: 'k', approval: null, order: null };
    });
    expect(done.filter((one) => one.endsWith('cancel'))).toEqual(['B2 cancel']);
    expect(asked).toEqual([
      {
        kind: 'cancel',
        cancel: { account: 'B2', order_id: IN_SECOND },
        requested_by: 'order cancel',
        provenance: {
          fields: {
            account: { source: 'computed', from: 'the account of the order' },
            order_id: { source: 'user' },
          },
        },
      },
    ]);
  });
});

describe('the list of orders', () => {
  const query = { status: 'all', limit: 50 } as const;

  it('is of the default account alone where none is named', async () => {
    const app = appWith(both, books({ A1: [IN_FIRST], B2: [IN_SECOND] }));
    const { orders, missing } = await listOrders(app, query);
    expect(orders).toEqual([{ id: IN_FIRST, submitted_at: expect.any(String) }]);
    expect(missing).toEqual([]);
  });

  it('is of all where they are named: newest first, each with its account, as many as asked for', async () => {
    const app = appWith(both, books({ A1: [IN_FIRST, '3333'], B2: [IN_SECOND] }), { isAllAccounts: true });
    const rows = (await listOrders(app, query)).orders.map(({ id, account, broker }) => [id, account, broker]);
    expect(rows).toEqual([
      ['3333', 'A1', 'alpaca'],
      [IN_SECOND, 'B2', 'tradier'],
      [IN_FIRST, 'A1', 'alpaca'],
    ]);
    expect((await listOrders(app, { ...query, limit: 1 })).orders.map(({ id }) => id)).toEqual(['3333']);
  });

  it('names an account that could not be read', async () => {
    const app = appWith(both, books({ A1: [IN_FIRST], B2: 'down' }), { isAllAccounts: true });
    const { orders, missing } = await listOrders(app, query);
    expect(orders.map(({ id }) => id)).toEqual([IN_FIRST]);
    expect(missing).toEqual([
      { account: 'B2', broker: 'tradier', label: 'Tradier', message: 'the broker does not answer' },
    ]);
  });
});
