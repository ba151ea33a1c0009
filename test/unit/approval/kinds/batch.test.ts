import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../../src/approval/kind.ts';
import { type BatchPorts, batchKind } from '../../../../src/approval/kinds/batch/kind.ts';
import type { OrderContext } from '../../../../src/approval/kinds/order/kind.ts';
import { feeSchedules } from '../../../../src/trading/broker-fees.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { type BatchRequest, type BatchSubject, batch } from '../../../../src/trading/kinds/batch.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { MarketClock, Order, Position } from '../../../../src/trading/views.ts';
import { anAccount, anOrder, aQuote } from '../../../fixtures/builders.ts';

const START = Date.parse('2026-11-25T15:00:00Z');
const EXPIRES = '2026-11-25T15:05:00Z';
const PRICES: Readonly<Record<string, string>> = {
  AAPL: '180.00',
  MSFT: '400.00',
  KO: '60.00',
  NVDA: '100.00',
};

const quoteAt = (symbol: string, price: string) => aQuote({ symbol, name: null, bid: price, ask: price, last: price });

type Answer = 'fills' | 'rests' | HttpProblem;

/** Like the gateway's: places an order once by its id; one refused before its claim may be tried again. */
function desk(answers: Readonly<Record<string, Answer[]>> = {}, buyingPower = '10000') {
  let now = START;
  const placed = new Map<string, Order>();
  const sent: string[] = [];
  const approvals: string[] = [];
  const counted: string[][] = [];
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const ports = {
    maxSlippage: '0.01',
    orderContexts: async (_proposer: unknown, _account: unknown, symbols: readonly string[]) =>
      new Map(
        symbols.map((symbol): [string, OrderContext] => [
          symbol,
          {
            account: anAccount({ cash: buyingPower, equity: '20000', buying_power: buyingPower }),
            shareDecimals: 9,
            fees: feeSchedules.ibkr,
            quote: quoteAt(symbol, PRICES[symbol] ?? ''),
            market: { is_open: true } as MarketClock,
            positions: ['AAPL', 'KO'].map(
              (held) => ({ symbol: held, side: 'long', qty: '10', qty_available: '10' }) as Position,
            ),
            requireAllowed: async (_draft, { after = [] } = {}) => {
              counted.push(after.map((draft) => draft.symbol));
              return { needsSecond: false, needsCode: false, policy: 'R'.repeat(43) };
            },
          },
        ]),
      ),
    async place({ draft }: { draft: OrderDraft }, { jti }: Approval) {
      const before = placed.get(draft.client_order_id);
      if (before !== undefined) return before;
      if (now >= Date.parse(draft.expires_at)) throw new HttpProblem(403, 'approval_expired', 'its time is over');
      const answer = answers[draft.symbol]?.shift() ?? 'fills';
      if (answer instanceof HttpProblem) throw answer;
      sent.push(draft.symbol);
      approvals.push(jti);
      const { client_order_id, symbol, side, qty = '1' } = draft;
      const order = anOrder({
        ...{ id: `at-${symbol}`, client_order_id, symbol, side, qty, limit_price: null },
        ...(answer === 'fills' ? { status: 'filled', filled_qty: qty } : {}),
      });
      placed.set(draft.client_order_id, order);
      return order;
    },
    outcome: async (_asker: unknown, id: string) => placed.get(id),
    order: async (_asker: unknown, _account: string, _id: string, clientOrderId: string) => placed.get(clientOrderId),
  } as unknown as BatchPorts;
  return {
    kind: batchKind(ports, clock),
    placed,
    sent,
    approvals,
    counted,
    wait: clock.sleep,
    now: () => now,
  };
}

const order = (side: 'buy' | 'sell', symbol: string, qty = '1') => ({
  symbol,
  side,
  qty,
  type: 'market' as const,
  time_in_force: 'day' as const,
  extended_hours: false,
});

const rebalancing: BatchRequest = {
  orders: [order('buy', 'MSFT', '2'), order('sell', 'AAPL', '5'), order('buy', 'NVDA', '3'), order('sell', 'KO', '1')],
  on_failure: 'stop',
};

type Desk = ReturnType<typeof desk>;
const about = { subjectId: 'ta-0000000001', expiresAt: EXPIRES };
const drafted = ({ kind }: Desk, request: BatchRequest = rebalancing) =>
  kind.complete(request, about as Parameters<typeof kind.complete>[1]);
const approved = { sub: 'alice', clientId: 'c', jti: 'j1' } as Approval;
const carryOut = ({ kind }: Desk, subject: BatchSubject) => kind.execute(subject, approved);

const busy = () => new HttpProblem(503, 'broker_busy', 'the broker is busy');
const lost = () => new HttpProblem(504, 'outcome_unknown', 'the broker gave no answer');
const refusedBy = (reason: string) =>
  new HttpProblem(403, 'policy_denied', 'no', { members: { reason, reasons: [reason] } });

describe('orders that belong together', () => {
  it('are shown sales first, each with its bound, and what they come to together', async () => {
    const it = desk();
    const { subject, worstCase, shows } = await drafted(it);
    expect(subject.orders.map(({ side, symbol }) => `${side} ${symbol}`)).toEqual([
      'sell AAPL',
      'sell KO',
      'buy MSFT',
      'buy NVDA',
    ]);
    // 2 × 404.00 and 3 × 101.00 at most; 5 × 178.20 and 59.40 at least; and the fees of each order.
    expect(worstCase).toMatchObject({ cash: '1113.04', price: null });
    expect(worstCase?.text).toBe(
      'The purchases cost at most $1,113.04 including $2.04 in fees in total. The sales bring in at least $948.69 after $1.71 in fees if everything sells.',
    );
    expect(shows.Cash).toBe('$10,000.00 now, $9,835.65 after');
    expect(shows['1']).toContain('at least $889.93');
    expect(it.counted).toEqual([[], ['AAPL'], ['AAPL', 'KO'], ['AAPL', 'KO', 'MSFT']]);
  });

  it('may cost what the sales bring at least, and not a cent more', async () => {
    const both = { ...rebalancing, orders: [order('sell', 'AAPL', '5'), order('buy', 'NVDA', '8')] };
    // 8 × 100 is asked for; the sale brings at least 891.
    await expect(drafted(desk({}, '0'), both)).resolves.toBeDefined();
    const more = { ...rebalancing, orders: [order('sell', 'AAPL', '5'), order('buy', 'NVDA', '9')] };
    await expect(drafted(desk({}, '0'), more)).rejects.toMatchObject({ code: 'insufficient_funds' });
  });

  it('name each symbol once', async () => {
    const twice = {
      ...rebalancing,
      orders: [order('buy', 'MSFT'), order('sell', 'AAPL'), order('buy', 'AAPL')],
    };
    await expect(drafted(desk(), twice)).rejects.toMatchObject({ code: 'invalid_order' });
  });

  it('are each of one part: one with exits is a question of its own', async () => {
    const exits = { order_class: 'oto', take_profit_limit_price: '900.00' } as const;
    const withExits = {
      ...rebalancing,
      orders: [order('sell', 'AAPL'), { ...order('buy', 'MSFT'), ...exits }],
    };
    await expect(drafted(desk(), withExits)).rejects.toMatchObject({
      code: 'invalid_order',
      options: { hint: 'Propose this order separately.' },
    });
    const { subject } = await drafted(desk());
    const [first, ...rest] = subject.orders;
    if (first === undefined) throw new Error('there is none');
    expect(() => batch.check({ ...subject, orders: [...rest, { ...first, side: 'buy', ...exits }] })).toThrow(
      "has exits and can't be part of a batch",
    );
  });

  it('are carried out one after the other, each by a part of the approval of its own', async () => {
    const it = desk();
    const { subject } = await drafted(it);
    const came = await carryOut(it, subject);
    expect(came).toMatchObject({
      outcome: 'executed',
      result: {
        lines: ['AAPL', 'KO', 'MSFT', 'NVDA'].map((symbol) => ({ outcome: 'placed', order: { symbol } })),
      },
    });
    expect(it.sent).toEqual(['AAPL', 'KO', 'MSFT', 'NVDA']);
    expect(new Set(it.approvals).size).toBe(4);
    // Called again, as after a crash: the same, and nothing is sent.
    expect(await carryOut(it, subject)).toEqual(came);
    expect(it.sent).toHaveLength(4);
  });

  it('stop at the first that comes to nothing, or go on, as the card said', async () => {
    const stops = desk({ KO: [refusedBy('SYMBOL_DENIED')] });
    const { subject } = await drafted(stops);
    expect(await carryOut(stops, subject)).toMatchObject({
      outcome: 'executed',
      result: {
        lines: [
          { outcome: 'placed' },
          { outcome: 'refused', reason: { code: 'policy_denied' } },
          { outcome: 'not_sent' },
          { outcome: 'not_sent' },
        ],
      },
    });
    expect(stops.sent).toEqual(['AAPL']);
    const goesOn = desk({ KO: [refusedBy('SYMBOL_DENIED')] });
    const other = await drafted(goesOn, { ...rebalancing, on_failure: 'continue' });
    await carryOut(goesOn, other.subject);
    expect(goesOn.sent).toEqual(['AAPL', 'MSFT', 'NVDA']);
  });

  it('are refused whole where not one was placed', async () => {
    const it = desk({ AAPL: [refusedBy('SYMBOL_DENIED')] });
    const { subject } = await drafted(it);
    expect(await carryOut(it, subject)).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'policy_denied' },
    });
  });

  it('can be tried again as if nothing had happened only while nothing has', async () => {
    const it = desk({ AAPL: [busy()], MSFT: [busy()] });
    const { subject } = await drafted(it);
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'not_taken' });
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'unknown' });
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'executed' });
    expect(it.sent).toEqual(['AAPL', 'KO', 'MSFT', 'NVDA']);
  });

  it.each(['stop', 'continue'] as const)(
    'stand still while it is not known what became of one of them (on failure: %s)',
    async (onFailure) => {
      const it = desk({ AAPL: [lost(), lost()] });
      const { subject } = await drafted(it);
      const batch = { ...subject, on_failure: onFailure };
      for (const _ of [1, 2]) {
        expect(await carryOut(it, batch)).toMatchObject({ outcome: 'unknown' });
        expect(it.sent).not.toContain('KO');
      }
      expect(await carryOut(it, batch)).toMatchObject({ outcome: 'executed' });
      expect(it.sent.slice(-3)).toEqual(['KO', 'MSFT', 'NVDA']);
    },
  );

  it('wait for room where so many orders a minute are allowed', async () => {
    const it = desk({ MSFT: [refusedBy('RATE_EXCEEDS_MAX_PER_MINUTE')] });
    const { subject } = await drafted(it);
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'unknown' });
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'executed' });
    expect(it.sent).toHaveLength(4);
  });

  it('give sales a moment to fill before purchases, and no longer', async () => {
    const it = desk({ AAPL: ['rests'] });
    const { subject } = await drafted(it);
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'executed' });
    expect(it.now() - START).toBe(15_000);
  });

  it('are not told to be left while they may still be sent', async () => {
    const it = desk({ MSFT: [busy(), busy()] });
    const { subject } = await drafted(it);
    const asker = { sub: 'alice', clientId: 'c', accessToken: 't' };
    expect(await it.kind.settle(subject, asker)).toBeUndefined();
    await carryOut(it, subject);
    expect(await it.kind.settle(subject, asker)).toMatchObject({ outcome: 'unknown' });
    await it.wait(Date.parse(EXPIRES) - it.now());
    expect(await it.kind.settle(subject, asker)).toMatchObject({
      outcome: 'executed',
      result: { lines: [{}, {}, { outcome: 'not_sent' }, { outcome: 'not_sent' }] },
    });
    // Nothing is sent after that either.
    expect(await carryOut(it, subject)).toMatchObject({ outcome: 'executed' });
    expect(it.sent).toEqual(['AAPL', 'KO']);
  });
});
