import { describe, expect, it } from 'vitest';
import { describeOrderState } from '../../../src/approval/kinds/order/kind.ts';
import type { ApprovalRequest } from '../../../src/home/identity-provider/approval-requests.ts';
import { readAccountsAfterFills } from '../../../src/home/phone/decision/account-after-fill.ts';
import { parseFillText } from '../../../src/home/phone/decision/result-panel.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { draft } from '../../integration/sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../../integration/sandbox/proposal-fixture.ts';

const order = anOrder({ time_in_force: 'day', qty: '2000', limit_price: '1180.00' });

describe('what was paid, out of the gateway’s words for an order', () => {
  it.each<[Partial<Order>, ReturnType<typeof parseFillText>]>([
    [
      { status: 'filled', filled_qty: '2000', filled_avg_price: '1180.13' },
      { price: '$1,180.13 a share', total: '$2,360,260.00' },
    ],
    [
      { status: 'partially_filled', filled_qty: '0.5', filled_avg_price: '0.1234' },
      { price: '$0.1234 a share', total: '$0.06' },
    ],
    [
      { status: 'canceled', filled_qty: '2', filled_avg_price: '180.12' },
      { price: '$180.12 a share', total: '$360.24' },
    ],
    [
      { symbol: 'AAPL261218C00190000', status: 'filled', filled_qty: '2', filled_avg_price: '2.45' },
      { price: '$2.45 a share', total: '$490.00' },
    ],
    [
      { symbol: 'BTC/USD', status: 'filled', filled_qty: '0.05', filled_avg_price: '60000' },
      { price: '$60,000.00 per BTC', total: '$3,000.00' },
    ],
    [
      { symbol: 'SHIB/USD', status: 'filled', filled_qty: '1000000', filled_avg_price: '0.00001234' },
      { price: '$0.00001234 per SHIB', total: '$12.34' },
    ],
    [{ status: 'canceled' }, undefined],
    [{ status: 'new' }, undefined],
    [{ status: 'rejected' }, undefined],
  ])('%o', (changes, fill) => {
    expect(parseFillText(describeOrderState({ ...order, ...changes }), changes.symbol ?? 'AAPL')).toEqual(fill);
  });

  it.each(['', 'price moved', 'filled 5 at $180.12 or so', 'sent', 'filled x at $1'])('%j is none', (text) => {
    expect(parseFillText(text, 'AAPL')).toBeUndefined();
  });
});

describe('the account after a fill', () => {
  const now = Date.parse('2026-11-26T15:00:00Z');
  const never = (_: number, signal?: AbortSignal) =>
    new Promise<void>((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('over'))));
  const clock = { now: () => now, sleep: never };
  const filled = (text: string, changes: Parameters<typeof draft>[0] = {}, at = now - 1000) =>
    ({
      id: text,
      user: 'alice',
      status: 'approved',
      details: proposalDetails('order', { subject: { ...draft(changes) } }),
      outcome: { state: 'executed', text, at },
    }) as unknown as ApprovalRequest;
  const holding =
    (qty: string, side = 'long') =>
    async () =>
      [{ symbol: 'AAPL', side, qty }] as never;
  let reads = 0;
  const accounts = (positions: () => Promise<never> = holding('15')) =>
    readAccountsAfterFills(
      () => ({
        account: async () => {
          reads += 1;
          return { cash: '24700' } as never;
        },
        positions,
      }),
      clock,
    );

  it('is read once, soon after it', async () => {
    const accountAfter = accounts();
    const after = { position: '10 AAPL before, 15 after', cash: '$24,700.00 after' };
    expect(await accountAfter(filled('filled 5 at $180.12'))).toEqual(after);
    reads = 0;
    expect(await accountAfter(filled('filled 5 at $180.12'))).toEqual(after);
    expect(reads).toBe(0);
  });

  it('is counted the other way for a sale, also into a short position', async () => {
    const sold = filled('filled 5 at $180.12', { side: 'sell' });
    expect(await accounts(holding('2', 'short'))(sold)).toMatchObject({ position: '3 AAPL before, -2 after' });
  });

  it.each([
    ['more may fill', filled('filled 2 of 5 at $180.12')],
    ['nothing filled', filled('placed')],
    ['it was long ago, and other orders may have followed', filled('filled 5 at $180.12', {}, now - 3 * 60_000)],
  ])('is unknown while %s', async (_, request) => {
    expect(await accounts()(request)).toBeUndefined();
  });

  it('is unknown where the account can’t be read, which hides no outcome', async () => {
    const fails = async () => {
      throw new Error('down');
    };
    expect(await accounts(fails)(filled('filled 5 at $180.12'))).toBeUndefined();
  });
});
