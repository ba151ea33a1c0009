import { describe, expect, it } from 'vitest';
import { proposalFills } from '../../../../src/home/fills/fill.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import { approval, order } from '../../cli/sample-events.ts';

const proposal = (change: Partial<StoredProposal>): StoredProposal =>
  ({
    ...{ id: 'pr_1', sub: 'alice', kind: 'order', state: 'executed', shows: {}, updatedAt: 0 },
    ...{ subject: approval.order, result: order },
    ...change,
  }) as StoredProposal;
const said = (change: Partial<StoredProposal>) => proposalFills(proposal(change)).map(({ headline }) => headline);
const leg = (id: string, change: object) => ({
  ...order,
  id,
  side: 'sell',
  status: 'new',
  filled_qty: '0',
  ...change,
});

describe('what was filled', () => {
  it('is told with what, how much, at which price, and in which account at which broker', () => {
    const shows = { Account: 'PA3ALICE01 at Alpaca' };
    expect(proposalFills(proposal({ shows }))).toEqual([
      {
        key: '["alice","PA3ALICE01","order-1"]',
        user: 'alice',
        headline: 'Bought 5 AAPL at $179.51',
        account: 'PA3ALICE01 at Alpaca',
        environment: 'paper',
        at: '2026-01-30T14:30:10Z',
        facts: {
          ...{ order_id: 'order-1', proposal: 'pr_1', account: 'PA3ALICE01', symbol: 'AAPL', side: 'buy' },
          ...{ qty: '5', price: '179.51', status: 'filled' },
        },
      },
    ]);
    expect(proposalFills(proposal({}))[0]?.account).toBe('PA3ALICE01');
  });

  it.each<[string, Partial<StoredProposal>, string[]]>([
    ['what is open still', { result: { ...order, status: 'partially_filled', filled_qty: '2' } }, []],
    ['nothing', { result: { ...order, status: 'canceled', filled_qty: '0' } }, []],
    ['what was not carried out', { state: 'denied', result: undefined }, []],
    [
      'a part, once the rest is cancelled',
      { result: { ...order, status: 'canceled', filled_qty: '2' } },
      ['Bought 2 of 5 AAPL at $179.51; the rest is canceled'],
    ],
    [
      'an exit, beside its entry',
      {
        result: {
          ...{ ...order, order_class: 'bracket' },
          legs: [
            leg('take', { status: 'filled', filled_qty: '5', filled_avg_price: '200.00' }),
            leg('stop', { status: 'canceled' }),
          ],
        },
      },
      ['Bought 5 AAPL at $179.51', 'Sold 5 AAPL at $200.00'],
    ],
    [
      'each of several orders',
      {
        kind: 'batch',
        subject: { account: 'PA3ALICE01', environment: 'paper', orders: [] },
        result: { lines: [{ order }, { order: { ...order, id: 'order-2', symbol: 'KO' } }] },
      },
      ['Bought 5 AAPL at $179.51', 'Bought 5 KO at $179.51'],
    ],
    [
      'an order that was changed',
      { kind: 'replace', subject: { draft: approval.order } },
      ['Bought 5 AAPL at $179.51'],
    ],
    ['a message', { kind: 'message', subject: {}, result: {} }, []],
  ])('%s', (_, change, headlines) => {
    expect(said(change)).toEqual(headlines);
  });

  it('of an order has one name, whichever proposal tells of it', () => {
    const cancelled = { kind: 'cancel', subject: { account: 'PA3ALICE01', environment: 'paper' } } as const;
    const keys = [proposal({}), proposal({ ...cancelled, id: 'pr_2' })].flatMap(proposalFills).map(({ key }) => key);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(2);
  });
});
