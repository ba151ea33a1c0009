import { afterEach, expect, it } from 'vitest';
import { createStaticRulesSource, defaultLimits } from '../../../src/gateway/policy/rules.ts';
import { newYorkDate, newYorkInstant, ONE_DAY_MS, toIsoDate, weekday } from '../../../src/trading/new-york-time.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from '../approval/foreign-world.ts';

/** A person who approves whatever their phone shows, at a home as `home init` leaves it. */
let world: ForeignWorld;
afterEach(() => world.close());

/** The stand-in's AAPL and MSFT are at $180; alice holds 40 AAPL. */
interface Attack {
  readonly kind: string;
  readonly order: Record<string, unknown>;
  /** The exchange's time, where it is not noon. */
  readonly at?: string;
  readonly closed?: true;
  readonly untradable?: true;
}

const [noon, sunday] = lastDays();
const night = new Date(noon.getTime() - 9.5 * 3_600_000).toISOString();
const market = (side: string, qty: number, symbol = 'AAPL') => ({
  symbol,
  side,
  qty: String(qty),
  type: 'market',
});
const limit = (side: string, qty: number, price: string, symbol = 'AAPL') => ({
  ...market(side, qty, symbol),
  type: 'limit',
  limit_price: price,
});
const one = (kind: string, orders: readonly Record<string, unknown>[], more: Partial<Attack> = {}) =>
  orders.map((order): Attack => ({ kind, order, ...more }));

/** More than one order may come to, in each form that an order has. */
const oversized = one('oversized', [
  ...[6, 7, 10, 25, 100, 1_000, 10_000].map((qty) => market('buy', qty)),
  ...['1000.01', '2500', '50000'].map((notional) => ({
    symbol: 'MSFT',
    side: 'buy',
    notional,
    type: 'market',
  })),
  ...[6, 50, 5_000].map((qty) => limit('buy', qty, '180.00', 'MSFT')),
  ...[6, 20, 40].map((qty) => market('sell', qty)),
  ...[6, 300].map((qty) => ({ ...market('buy', qty), type: 'stop', stop_price: '185.00' })),
  { ...market('buy', 1), type: 'trailing_stop', trail_percent: '5' },
  { ...market('buy', 4, 'MSFT'), type: 'trailing_stop', trail_price: '2.00' },
]);
/** Nothing that is traded at the broker: no such symbol, or one that was taken off the exchange. */
const unlisted = [
  ...one(
    'unlisted',
    ['PUMPX', 'ZZZZ', 'SCAM', 'FOO.A', 'OTCQ', 'GHOST', 'RUGPL', 'XYZW', 'MOONY', 'HYPE'].map((symbol) =>
      market('buy', 1, symbol),
    ),
  ),
  ...one(
    'unlisted',
    [1, 2, 3, 4, 5].flatMap((qty) => [market('buy', qty, 'BRK.B'), limit('buy', qty, '180.00', 'BRK.B')]),
    { untradable: true },
  ),
];
/** The same small order again and again, and small ones in a row. */
const repeated = [
  ...one(
    'repeated',
    Array.from({ length: 14 }, () => market('buy', 2)),
  ),
  ...one(
    'repeated',
    Array.from({ length: 6 }, (_, n) => limit('buy', 2, `18${n}.00`, 'MSFT')),
  ),
];
/** A digit too many, or the point in the wrong place. */
const fatFingered = one('fat-fingered', [
  ...['1800.00', '810.00', '198.02', '190.00', '18001.00'].map((price) => limit('buy', 1, price)),
  ...['18.00', '1.80', '108.00', '162.00', '17.99', '0.18'].map((price) => limit('sell', 1, price)),
  ...[22, 33, 55, 500].map((qty) => limit('buy', qty, '180.01')),
  ...['1234.56', '11111', '99999.99'].map((notional) => ({
    symbol: 'AAPL',
    side: 'buy',
    notional,
    type: 'market',
  })),
  { ...market('buy', 1), type: 'stop_limit', stop_price: '181.00', limit_price: '1810.00' },
  { ...market('sell', 1), type: 'stop_limit', stop_price: '179.00', limit_price: '17.90' },
]);
/** While nobody looks: by night, on a Sunday, as orders that wait for the opening. */
const few = [1, 2, 3, 4, 5];
const byNight = { at: night, closed: true } as const;
const onSunday = { at: sunday.toISOString(), closed: true } as const;
const outOfHours = [
  ...one(
    'out of hours',
    few.flatMap((qty) => [market('buy', qty), limit('buy', qty, '180.00', 'MSFT')]),
    byNight,
  ),
  ...one(
    'out of hours',
    few.flatMap((qty) => [limit('sell', qty, '180.00'), { ...limit('buy', qty, '181.00'), extended_hours: true }]),
    onSunday,
  ),
];

it('of 100 attacks at most ten get through where every one is approved', async () => {
  world = await startForeignWorld({
    rules: createStaticRulesSource(defaultLimits()),
    // It is the rules that are looked at: not how often a phone may ring.
    quotas: { own: { open: 1_000, hour: 10_000 }, other: { open: 1_000, hour: 10_000 } },
  });
  const sessions = [1, 0].map((days) => newYorkDate(noon.getTime() - days * ONE_DAY_MS));
  world.broker.calendar = sessions.map((date) => ({ date, open: '09:30', close: '16:00' }));
  const mallory = world.agent('alice', 'somebody-elses');
  // So that not all of one kind come together.
  const kinds = [oversized, unlisted, repeated, fatFingered, outOfHours];
  const attacks = Array.from({ length: 20 }, (_, index) => kinds.flatMap((kind) => kind[index] ?? [])).flat();
  expect(attacks).toHaveLength(100);

  const through: string[] = [];
  const reasons = new Map<string, number>();
  for (const [index, attack] of attacks.entries()) {
    world.broker.now = new Date(attack.at ?? noon);
    world.broker.quotedAt = noon;
    world.broker.marketOpen = attack.closed !== true;
    world.broker.asset = { tradable: attack.untradable !== true, fractionable: true };
    const came = await approved(mallory, attack, `attack-${index}`);
    if (came === 'executed') through.push(attack.kind);
    else for (const reason of came) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  process.stdout.write(
    `of ${attacks.length} attacks ${through.length} got through (${through.join(', ')}); refused for ${[...reasons].map(([reason, times]) => `${times} ${reason}`).join(', ')}\n`,
  );
  expect(world.broker.book).toHaveLength(through.length);
  expect(through.length).toBeLessThanOrEqual(10);
  // The first of the repeated ones is a sound order: a gate that lets nothing pass shows nothing.
  expect(through.length).toBeGreaterThanOrEqual(1);
  expect(new Set(through)).toEqual(new Set(['repeated']));
}, 120_000);

/** Proposes it, and says yes. @returns the reasons, where it was not carried out */
async function approved(agent: Agent, { order }: Attack, key: string): Promise<'executed' | readonly string[]> {
  const full = { time_in_force: 'day', ...order };
  const { status, body } = await agent.propose({ kind: 'order', order: full }, key);
  if (status === 200) return ['the same is open already'];
  if (status !== 201) return (body.reasons as string[] | undefined) ?? [String(body.code)];
  const id = String(body.id);
  await expect.poll(() => world.issuer.questions.some(({ details }) => details.proposal === id)).toBe(true);
  await world.decide(id, 'approve');
  const found = async () => (await agent.send('GET', `/v1/proposals/${id}`)).body;
  await expect.poll(async () => ['executed', 'blocked', 'expired'].includes(String((await found()).state))).toBe(true);
  const { state, reason } = (await found()) as {
    state: string;
    reason?: { members?: { reasons?: string[] } };
  };
  return state === 'executed' ? 'executed' : (reason?.members?.reasons ?? [state]);
}

/** Noon in New York on the last Friday, and on the Sunday before it. */
function lastDays(): [Date, Date] {
  let day = Date.now() - ONE_DAY_MS;
  while (weekday(newYorkDate(day)) !== 5) day -= ONE_DAY_MS;
  const friday = newYorkDate(day);
  return [
    new Date(newYorkInstant(friday, '12:00')),
    new Date(newYorkInstant(toIsoDate(Date.parse(friday) - 5 * ONE_DAY_MS), '12:00')),
  ];
}
