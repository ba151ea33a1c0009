import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildReplaceProposal } from '../../../src/app/orders/place-order.ts';
import { isSettledState, type ProposalRequestInput } from '../../../src/trading/proposal.ts';
import type { Order } from '../../../src/trading/views.ts';
import { options, play } from '../agent/world.ts';
import { TUESDAY_NOON } from '../sandbox/paper-broker-world.ts';
import { openMarketAt, orderWays } from './order-ways.ts';
import type { Person, ProposalWorld } from './world.ts';

/** Each kind of order from sentence, command and tool to the paper broker and its end there. */

const SLIPPAGE = '0.01';
const { typed, called } = orderWays(SLIPPAGE);

let market: Awaited<ReturnType<typeof openMarketAt>>;
let world: ProposalWorld;
let alice: Person;

beforeAll(async () => {
  market = await openMarketAt(TUESDAY_NOON, SLIPPAGE);
  ({ world, alice } = market);
});
afterAll(() => market.close());
beforeEach(() => moved('100.00'));

async function moved(price: string, symbol = 'AAPL'): Promise<void> {
  const { broker } = world.sandbox.ready;
  const answer = await fetch(`${broker}/admin/prices/${symbol}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${world.sandbox.seed.admin_secret}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ price }),
  });
  expect(answer.status).toBe(200);
}

async function approved(request: ProposalRequestInput): Promise<Order> {
  const proposal = await alice.propose(request);
  await alice.tap(proposal.code);
  let found = proposal;
  while (!isSettledState(found.state)) {
    found = await alice.proposal(proposal.id, `?wait=20&since=${encodeURIComponent(found.updated_at)}`);
  }
  expect([found.state, found.reason]).toEqual(['executed', undefined]);
  return found.result as Order;
}
async function said(prompt: string): Promise<Order> {
  const running = play(market.agent.run({ prompt }, options()));
  const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
  if (request === undefined) throw new Error(`nobody was asked: ${JSON.stringify(await running)}`);
  await alice.tap(request.code);
  const { result } = await running;
  expect(result.approvals).toMatchObject([{ status: 'executed' }]);
  const order = result.orders[0] as Order | undefined;
  if (order === undefined) throw new Error(`there is no order: ${JSON.stringify(result)}`);
  return order;
}
const read = async ({ id }: Pick<Order, 'id'>) =>
  (await alice.send('GET', `/v1/orders/${id}`)).body as unknown as Order;
const statesOf = ({ status, legs = [] }: Order) => [status, ...legs.map((leg) => leg.status)];
const cancelled = async ({ id }: Pick<Order, 'id'>) => (await alice.send('DELETE', `/v1/orders/${id}`)).status;
async function cancelledByTap({ id }: Pick<Order, 'id'>): Promise<void> {
  await approved({ kind: 'cancel', cancel: { order_id: id } });
}
async function shares(): Promise<number> {
  const { positions } = (await alice.send('GET', '/v1/positions')).body as {
    positions: { symbol: string; qty: string }[];
  };
  return Number(positions.find(({ symbol }) => symbol === 'AAPL')?.qty ?? 0);
}
interface Kind {
  readonly name: string;
  readonly sentence: string;
  readonly command: ProposalRequestInput;
  readonly call: ProposalRequestInput;
  /** What stands at the broker at once. */
  readonly placed: Record<string, unknown>;
  /** What the price does then, and the states of the order and its legs after that. */
  readonly moves: readonly (readonly [price: string, ...states: readonly string[]])[];
  /** Shares more or less in the end. */
  readonly change: number;
}

const exits = { take_profit_limit_price: '110', stop_loss_stop_price: '90' } as const;
const bracket = { order_class: 'bracket', ...exits } as const;
const kinds: readonly Kind[] = [
  {
    name: 'a market order',
    sentence: 'buy 2 AAPL',
    command: typed('buy', 'AAPL', { qty: '2' }),
    call: called({ side: 'buy', qty: 2, type: 'market', time_in_force: 'day' }),
    placed: { status: 'filled', type: 'limit' },
    moves: [],
    change: 2,
  },
  {
    name: 'a limit order',
    sentence: 'sell 2 AAPL limit 105 gtc',
    command: typed('sell', 'AAPL', { qty: '2', limit: '105', tif: 'gtc' }),
    call: called({ side: 'sell', qty: 2, type: 'limit', limit_price: 105, time_in_force: 'gtc' }),
    placed: { status: 'new', type: 'limit', limit_price: '105' },
    moves: [['106.00', 'filled']],
    change: -2,
  },
  {
    name: 'a stop order',
    sentence: 'buy 1 AAPL stop 105 gtc',
    command: typed('buy', 'AAPL', { qty: '1', stop: '105', tif: 'gtc' }),
    call: called({ side: 'buy', qty: 1, type: 'stop', stop_price: 105, time_in_force: 'gtc' }),
    placed: { status: 'new', type: 'stop_limit', stop_price: '105', limit_price: '106.05' },
    moves: [['105.10', 'filled']],
    change: 1,
  },
  {
    name: 'a stop limit order',
    sentence: 'sell 1 AAPL stop 95 limit 94 gtc',
    command: typed('sell', 'AAPL', { qty: '1', stop: '95', limit: '94', tif: 'gtc' }),
    call: called({
      ...{ side: 'sell', qty: 1, type: 'stop_limit', stop_price: 95, limit_price: 94 },
      time_in_force: 'gtc',
    }),
    placed: { status: 'new', type: 'stop_limit', stop_price: '95', limit_price: '94' },
    // Past its limit it is not sold.
    moves: [
      ['93.00', 'new'],
      ['94.50', 'filled'],
    ],
    change: -1,
  },
  {
    name: 'a market stop',
    sentence: 'sell 1 AAPL with a true stop at 95 gtc',
    command: typed('sell', 'AAPL', { qty: '1', stop: '95', atMarket: true, tif: 'gtc' }),
    call: called({ side: 'sell', qty: 1, type: 'stop_market', stop_price: 95, time_in_force: 'gtc' }),
    placed: { status: 'new', type: 'stop', stop_price: '95', limit_price: null },
    // Far past its stop it is sold.
    moves: [['60.00', 'filled']],
    change: -1,
  },
  {
    name: 'a trailing stop',
    sentence: 'sell 1 AAPL trail 5% gtc',
    command: typed('sell', 'AAPL', { qty: '1', trail: '5%', tif: 'gtc' }),
    call: called({ side: 'sell', qty: 1, type: 'trailing_stop', trail_percent: 5, time_in_force: 'gtc' }),
    placed: { status: 'new', type: 'trailing_stop', trail_percent: '5' },
    moves: [
      ['110.00', 'new'],
      ['106.00', 'new'],
      ['104.00', 'filled'],
    ],
    change: -1,
  },
  {
    name: 'a bracket that takes its profit',
    sentence: 'buy 2 AAPL limit 101 gtc, take profit 110, stop loss 90',
    command: typed('buy', 'AAPL', {
      ...{ qty: '2', limit: '101', tif: 'gtc' },
      takeProfit: '110',
      stopLoss: '90',
    }),
    call: called({ side: 'buy', qty: 2, type: 'limit', limit_price: 101, time_in_force: 'gtc', ...bracket }),
    placed: {
      status: 'filled',
      order_class: 'bracket',
      legs: [{ limit_price: '110' }, { limit_price: '89.1' }],
    },
    moves: [
      ['105.00', 'filled', 'new', 'held'],
      ['111.00', 'filled', 'filled', 'canceled'],
    ],
    change: 0,
  },
  {
    name: 'an entry with a stop loss alone',
    sentence: 'buy 2 AAPL gtc, stop loss 90',
    command: typed('buy', 'AAPL', { qty: '2', tif: 'gtc', stopLoss: '90' }),
    call: called({
      ...{ side: 'buy', qty: 2, type: 'market', time_in_force: 'gtc', order_class: 'oto' },
      stop_loss_stop_price: 90,
    }),
    placed: { status: 'filled', order_class: 'oto', legs: [{ stop_price: '90', limit_price: '89.1' }] },
    moves: [['89.80', 'filled', 'filled']],
    change: 0,
  },
  {
    name: 'an entry with a take profit alone',
    sentence: 'buy 2 AAPL gtc, take profit 110',
    command: typed('buy', 'AAPL', { qty: '2', tif: 'gtc', takeProfit: '110' }),
    call: called({
      ...{ side: 'buy', qty: 2, type: 'market', time_in_force: 'gtc', order_class: 'oto' },
      take_profit_limit_price: 110,
    }),
    placed: { status: 'filled', order_class: 'oto', legs: [{ stop_price: null, limit_price: '110' }] },
    moves: [
      ['89.00', 'filled', 'new'],
      ['110.50', 'filled', 'filled'],
    ],
    change: 0,
  },
  {
    name: 'both exits of what is held',
    sentence: 'sell 2 AAPL gtc take profit 110 stop loss 90',
    command: typed('sell', 'AAPL', { qty: '2', tif: 'gtc', takeProfit: '110', stopLoss: '90' }),
    call: called({ side: 'sell', qty: 2, type: 'limit', time_in_force: 'gtc', order_class: 'oco', ...exits }),
    placed: { status: 'new', order_class: 'oco', limit_price: '110', legs: [{ stop_price: '90' }] },
    moves: [
      ['105.00', 'new', 'held'],
      ['89.90', 'canceled', 'filled'],
    ],
    change: -2,
  },
];

describe.each(kinds)('$name, approved on the phone', ({ sentence, command, call, placed, moves, change }) => {
  it.each([
    ['a sentence', () => said(sentence)],
    ['a typed command', () => approved(command)],
    ['a tool’s call', () => approved(call)],
  ])('goes from %s to its fill, once', async (_, way) => {
    const before = await shares();
    const order = await way();
    expect(order).toMatchObject(placed);
    for (const [price, ...states] of moves) {
      await moved(price);
      expect(statesOf(await read(order)), price).toEqual(states);
    }
    expect((await shares()) - before).toBe(change);
  });
});

const apart = { qty: '2', limit: '80', tif: 'gtc', takeProfit: '110', stopLoss: '70' } as const;

describe('an order that waits', () => {
  it.each([
    ['a limit', typed('buy', 'AAPL', { qty: '1', limit: '80', tif: 'gtc' }), ['canceled']],
    ['a stop', typed('buy', 'AAPL', { qty: '1', stop: '130', tif: 'gtc' }), ['canceled']],
    ['a bracket', typed('buy', 'AAPL', apart), ['canceled', 'canceled', 'canceled']],
    ['an oto', typed('buy', 'AAPL', { qty: '1', limit: '80', tif: 'gtc', stopLoss: '70' }), ['canceled', 'canceled']],
  ])('%s is cancelled without a tap, whole', async (_, request, states) => {
    const order = await approved(request);
    expect(await cancelled(order)).toBe(204);
    expect(statesOf(await read(order))).toEqual(states);
  });

  it.each([
    ['a stop that sells', typed('sell', 'AAPL', { qty: '1', stop: '80', tif: 'gtc' }), ['canceled']],
    [
      'an oco',
      typed('sell', 'AAPL', { qty: '1', tif: 'gtc', takeProfit: '120', stopLoss: '80' }),
      ['canceled', 'canceled'],
    ],
  ])('%s protects what is held: it is cancelled with a tap alone', async (_, request, states) => {
    const order = await approved(request);
    expect(await cancelled(order)).toBe(409);
    await cancelledByTap(order);
    expect(statesOf(await read(order))).toEqual(states);
  });

  it('is changed with a tap, and keeps what was not changed', async () => {
    const order = await approved(typed('buy', 'AAPL', { qty: '1', limit: '80', tif: 'gtc' }));
    const changed = await approved(buildReplaceProposal(order.id, { limit: '81', qty: '2' }));
    expect(changed).toMatchObject({ qty: '2', limit_price: '81', time_in_force: 'gtc' });
    expect(await read(order)).toMatchObject({ status: 'replaced' });
    expect(await cancelled(changed)).toBe(204);
  });

  it('of several parts is changed part by part: an exit has another price, and ends the other as before', async () => {
    const before = await shares();
    const entry = await approved(typed('buy', 'AAPL', { ...apart, limit: '101' }));
    const [profit] = entry.legs ?? [];
    await approved(buildReplaceProposal(profit?.id ?? '', { limit: '106' }));
    await moved('106.50');
    const [, ...legs] = statesOf(await read(entry));
    expect(legs.toSorted()).toEqual(['canceled', 'filled']);
    expect(await shares()).toBe(before);
  });

  it('of several parts is not changed as one', async () => {
    const entry = await approved(typed('buy', 'AAPL', apart));
    const { status, body } = await alice.ask(buildReplaceProposal(entry.id, { limit: '81' }));
    expect([status, body]).toMatchObject([409, { code: 'not_replaceable' }]);
    expect(await cancelled(entry)).toBe(204);
  });

  it.each([
    ['a take profit', { takeProfit: '100.50', stopLoss: '90' }],
    ['a stop loss', { takeProfit: '120', stopLoss: '100.05' }],
  ])('is not asked about where %s is no exit of an entry at the price of the moment', async (_, exit) => {
    const request = typed('buy', 'AAPL', { qty: '1', tif: 'gtc', ...exit });
    const { status, body } = await alice.ask(request);
    expect([status, body]).toMatchObject([400, { code: 'invalid_order' }]);
  });

  // The last of all: the exchange is closed after it.
  it('for the day is over at the close, its exits with it', async () => {
    // Of another company: a broker takes no sale beside a purchase that one could be traded with.
    await moved('100.00', 'MSFT');
    const orders = [
      await approved(typed('buy', 'AAPL', { qty: '1', limit: '80' })),
      await approved(typed('buy', 'AAPL', { qty: '1', stop: '130' })),
      await approved(typed('sell', 'MSFT', { qty: '1', trail: '20%' })),
      await approved(typed('buy', 'AAPL', { ...apart, tif: 'day' })),
      await approved(typed('sell', 'MSFT', { qty: '1', tif: 'day', takeProfit: '140', stopLoss: '60' })),
    ];
    await market.clock.advance(6 * 3_600_000);
    const after = await Promise.all(orders.map(read));
    expect(after.map(({ status }) => status)).toEqual(Array(5).fill('expired'));
    for (const leg of after.flatMap(({ legs = [] }) => legs)) expect(leg.status).toMatch(/canceled|expired/);
  });
});
