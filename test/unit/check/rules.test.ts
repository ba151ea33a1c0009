import { describe, expect, it } from 'vitest';
import { checkPortfolio } from '../../../src/check/check.ts';
import { computePortfolioFigures } from '../../../src/check/figures.ts';
import { parseRules } from '../../../src/check/load-rules.ts';
import { observeRules } from '../../../src/check/observe.ts';
import { newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { packHistory } from '../../../src/trading/portfolio/price-history.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { cash, checks, position, quote, rules, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const HOUR = 3_600_000;
const apple = (price: number, previous = price) =>
  snapshot({
    positions: [position('AAPL', 60, price)],
    quotes: new Map([['AAPL', quote('AAPL', String(price), { previous_close: String(previous) })]]),
  });

describe('a rule fires when it should, once, and again only after it was clear', () => {
  it('price below', async () => {
    const { found } = await checks(rules('name: r, kind: price, symbol: AAPL, below: 100'));
    expect(found(apple(100))).toEqual([]); // at its limit
    expect(found(apple(99.99))).toEqual(['r AAPL']);
    expect(found(apple(98))).toEqual([]); // ongoing
    expect(found(apple(100.5))).toEqual([]); // not a hundredth back yet
    expect(found(apple(99))).toEqual([]); // so it was never armed
    expect(found(apple(101))).toEqual([]); // now it is
    expect(found(apple(99))).toEqual(['r AAPL']);
  });

  it('price above, with a way back of its own', async () => {
    const { found } = await checks(rules('name: r, kind: price, symbol: AAPL, above: 100, rearm: 10%'));
    expect(found(apple(101))).toEqual(['r AAPL']);
    expect(found(apple(91))).toEqual([]);
    expect(found(apple(101))).toEqual([]);
    expect(found(apple(90))).toEqual([]);
    expect(found(apple(101))).toEqual(['r AAPL']);
  });

  it('also while checks by another file come in between', async () => {
    const memory = { fired: [] };
    const rule = (name: string) => rules(`name: ${name}, kind: price, symbol: AAPL, above: 100`);
    const { found } = await checks(rule('r'), memory);
    const other = await checks(rule('s'), memory);
    expect(found(apple(101))).toEqual(['r AAPL']);
    expect(other.found(apple(101))).toEqual(['s AAPL']);
    expect(found(apple(101))).toEqual([]);
    expect(other.found(apple(101))).toEqual([]);
    expect(found(apple(90))).toEqual([]);
    expect(found(apple(101))).toEqual(['r AAPL']);
    expect(other.found(apple(101))).toEqual([]);
  });

  it('a move since the last close, in the direction it names', async () => {
    const { found } = await checks(
      rules('name: down, kind: move, by: 5%, direction: down', 'name: either, kind: move, symbols: [AAPL], by: 5%'),
    );
    expect(found(apple(105, 100))).toEqual([]);
    expect(found(apple(106, 100))).toEqual(['either AAPL']);
    expect(found(apple(94, 100))).toEqual(['down AAPL']);
  });

  it('a move over several sessions, by the closes kept', async () => {
    const { found } = await checks(rules('name: r, kind: move, symbols: [AAPL], by: 10%, sessions: 3'));
    const days = ['50', '100', '105', '108'].map((close, index) => ({ day: 20780 + index, close }));
    const seen = { ...apple(110), closes: new Map([['AAPL', packHistory(days)]]) };
    expect(found(seen)).toEqual([]); // 110 / 100: ten percent is not more than ten
    expect(found({ ...apple(111), closes: seen.closes })).toEqual(['r AAPL']);
  });

  it('drift, by 5/25 and by points', async () => {
    const drift = (band: string) => `targets: {AAPL: 50%}\nrules:\n  - {name: r, kind: drift, band: ${band}}`;
    // 6,000 of 10,000: ten points.
    expect((await checks(drift('5/25'))).found(snapshot())).toEqual(['r AAPL']);
    expect((await checks(drift('10%'))).found(snapshot())).toEqual([]);
    expect((await checks(drift('9.9%'))).found(snapshot())).toEqual(['r AAPL']);
  });

  it('concentration by symbol and by sector, by the sectors of the file', async () => {
    const { found } = await checks(
      `sectors: {AAPL: Tech, MSFT: Tech}
rules:
  - {name: one, kind: concentration, above: 40%}
  - {name: sector, kind: concentration, by: sector, above: 60%}`,
    );
    const seen = snapshot({ positions: [position('AAPL', 40, 100), position('MSFT', 35, 100)] });
    expect(found({ ...seen, account: { ...seen.account, equity: '11500.00' } })).toEqual(['sector Tech']);
  });

  it('cash, too much and too little', async () => {
    const { found } = await checks(rules('name: drag, kind: cash, above: 30%', 'name: short, kind: cash, below: 5%'));
    expect(found(snapshot())).toEqual(['drag']);
  });

  it('drawdown, by the history and the flows', async () => {
    const { found } = await checks(rules('name: r, kind: drawdown, above: 10%'));
    const history = [
      { at: TUESDAY_NOON - 48 * HOUR, equity: '10000' },
      { at: TUESDAY_NOON - 24 * HOUR, equity: '14000' },
    ];
    // From 14,000 to 10,000: a fall, unless 4,000 were taken out.
    expect(found(snapshot({ history }))).toEqual(['r']);
    const withdrawal = cash('2026-11-24', '-4000');
    expect(found(snapshot({ history, activities: [withdrawal] }))).toEqual([]);
  });

  it.each([
    ['3%', '10309.27', []],
    ['2.9%', '10309.27', ['r']],
    ['$310', '10310.00', []],
    ['309', '10310.00', ['r']],
  ])('a day’s loss of more than %s', async (above, before, found) => {
    const seen = snapshot();
    const limit = above.startsWith('$') ? `"${above}"` : above;
    const made = await checks(rules(`name: r, kind: loss, above: ${limit}`));
    expect(made.found({ ...seen, account: { ...seen.account, last_equity: before } })).toEqual(found);
  });

  it('stale prices, while the market is open alone', async () => {
    const { found } = await checks(rules('name: r, kind: stale, older_than: 15m'));
    const old = quote('AAPL', '100', { at: new Date(TUESDAY_NOON - HOUR).toISOString() });
    const seen = snapshot({ quotes: new Map([['AAPL', old]]) });
    expect(found({ ...seen, clock: { ...seen.clock, is_open: false } })).toEqual([]);
    expect(found(seen)).toEqual(['r AAPL']);
  });

  it('orders open for long, and a holding that is missing', async () => {
    const { found } = await checks(
      rules(
        'name: old, kind: open_order, older_than: 2d',
        'name: gone, kind: missing, symbol: MSFT',
        'name: few, kind: missing, symbol: AAPL, qty: 61',
      ),
    );
    const order = (id: string, hours: number) =>
      anOrder({ id, symbol: 'KO', submitted_at: new Date(TUESDAY_NOON - hours * HOUR).toISOString() });
    const openOrders = [order('young', 47), order('old', 49)];
    expect(found(snapshot({ openOrders }))).toEqual(['old old', 'gone MSFT', 'few AAPL']);
  });

  it('a holiday and a half-day ahead, once each, and not the weekend', async () => {
    const { found } = await checks(rules('name: r, kind: closure, within: 1d'));
    const at = (date: string, wall: string) => snapshot({ now: newYorkInstant(date, wall) });
    expect(found(at('2026-11-24', '12:00'))).toEqual([]);
    expect(found(at('2026-11-25', '12:00'))).toEqual(['r 2026-11-26']);
    expect(found(at('2026-11-26', '12:00'))).toEqual(['r 2026-11-27']);
    expect(found(at('2026-11-27', '14:00'))).toEqual([]); // closed for the day already
    expect(found(at('2026-11-28', '12:00'))).toEqual([]);
  });

  it('a conditional order, until its time is over', async () => {
    const rule = '{name: dip, kind: order, symbol: NVDA, below: 100, before: 2026-11-27, order: {side: buy, qty: 10}}';
    const { run } = await checks(`rules:\n  - ${rule}`);
    const nvidia = (price: string, now: number) => snapshot({ now, quotes: new Map([['NVDA', quote('NVDA', price)]]) });
    const suggest = { awaited: new Set<string>(), wasAsked: () => false };
    expect(run(nvidia('101', TUESDAY_NOON), suggest).proposals).toEqual([]);
    const met = run(nvidia('99', newYorkInstant('2026-11-26', '23:59')), suggest);
    const message = 'NVDA is at $99.00, below $100.00: BUY 10 NVDA MKT';
    expect(met.result.findings).toMatchObject([{ message }]);
    const request = { symbol: 'NVDA', side: 'buy', qty: '10' };
    expect(met.proposals).toMatchObject([{ request, rule: { name: 'dip' } }]);
    const late = run(nvidia('99', newYorkInstant('2026-11-27', '00:00')), suggest);
    expect(late.proposals).toEqual([]);
    expect(late.result.skipped).toEqual([{ rule: 'dip', reason: 'over' }]);
  });
});

describe('whether a rule is looked at', () => {
  const when = (moment: string) => rules(`name: r, kind: price, symbol: AAPL, below: 200, when: ${moment}`);

  it('waits for the market to open, which is a result and no error', async () => {
    const { run } = await checks(when('market_open'));
    const seen = snapshot();
    const closed = run({ ...seen, clock: { ...seen.clock, is_open: false } }).result;
    expect(closed).toMatchObject({ status: 'clear', skipped: [{ rule: 'r', reason: 'market_closed' }] });
    expect(run(seen).result.status).toBe('found');
    // Closed again: what it found is remembered all the same.
    run({ ...seen, clock: { ...seen.clock, is_open: false } });
    expect(run(seen).result).toMatchObject({ findings: [], ongoing: [{ rule: 'r' }] });
  });

  it('waits for the last half hour, also of half a day', async () => {
    const { run } = await checks(when('{before_close: 30m}'));
    const seen = (wall: string) => {
      const now = newYorkInstant('2026-11-27', wall);
      const made = snapshot({ now });
      return {
        ...made,
        clock: { ...made.clock, next_close: new Date(newYorkInstant('2026-11-27', '13:00')).toISOString() },
      };
    };
    expect(run(seen('12:29')).result.skipped).toEqual([{ rule: 'r', reason: 'not_before_close' }]);
    expect(run(seen('12:30')).result.findings).toHaveLength(1);
  });

  it('is put off by a snooze, after which it fires', async () => {
    const { run } = await checks(rules('name: r, kind: price, symbol: AAPL, below: 200, snooze: 2026-11-25'));
    expect(run(snapshot()).result).toMatchObject({ findings: [], snoozed: [{ rule: 'r' }] });
    expect(run(snapshot({ now: newYorkInstant('2026-11-25', '00:00') })).result.findings).toHaveLength(1);
  });
});

describe('what can’t be seen', () => {
  it('is a finding of its own, once, and leaves what was found before as it was', async () => {
    const { run } = await checks(rules('name: r, kind: price, symbol: MSFT, below: 200'));
    const priced = snapshot({ quotes: new Map([['MSFT', quote('MSFT', '150')]]) });
    const blind = snapshot({ quotes: new Map(), noPrice: [{ symbol: 'MSFT', code: 'price_unavailable' }] });
    expect(run(priced).result.findings).toHaveLength(1);
    expect(run(blind).result.findings).toMatchObject([{ problem: 'price_unavailable', subject: 'MSFT' }]);
    expect(run(blind).result).toMatchObject({ findings: [], ongoing: [{ problem: 'price_unavailable' }] });
    expect(run(priced).result).toMatchObject({ findings: [], ongoing: [{ rule: 'r' }] });
    expect(run(blind).result.findings).toHaveLength(1);
  });

  it('is said of a holding without history', async () => {
    const { run } = await checks(rules('name: r, kind: move, by: 5%, sessions: 20'));
    expect(run(snapshot()).result.findings).toMatchObject([{ problem: 'history_unavailable' }]);
  });
});

describe('orders to propose', () => {
  const both = `targets: {AAPL: 90%}
rules:
  - {name: drift, kind: drift}
  - {name: dip, kind: order, symbol: NVDA, below: 200, order: {side: buy, qty: 10}}`;
  const quotes = [quote('AAPL', '100'), quote('NVDA', '150')];
  const seen = snapshot({ quotes: new Map(quotes.map((one) => [one.symbol, one])) });
  const fresh = { awaited: new Set<string>(), wasAsked: () => false };
  const words = ({ proposals }: ReturnType<Awaited<ReturnType<typeof checks>>['run']>) =>
    proposals.map(({ request }) => `${request.side} ${request.qty} ${request.symbol}`);

  it('spend the same cash once: what a conditional order may need is not there for rebalancing', async () => {
    const { run } = await checks(both);
    // 4,000 in cash less 1,500 for NVDA; 30 AAPL would be wanted, at 100.50 24 can be paid.
    expect(words(run(seen, fresh))).toEqual(['buy 10 NVDA', 'buy 24 AAPL']);
  });

  it('wait with a market order until the market is open', async () => {
    const { run } = await checks(both);
    const closed = run({ ...seen, clock: { ...seen.clock, is_open: false } }, fresh);
    expect(words(closed)).toEqual(['buy 30 AAPL']);
    expect(closed.result.suggestion?.left).toEqual([{ symbol: 'NVDA', reason: 'market_closed' }]);
  });

  it.each([
    ['the person was asked', { thread: 'th_1', asked: true }, false, ['buy 30 AAPL']],
    ['a run died after it asked', { thread: 'th_1', asked: false }, true, ['buy 30 AAPL']],
    ['a run died before it asked', { thread: 'th_1', asked: false }, false, ['buy 10 NVDA', 'buy 24 AAPL']],
  ])('ask for a conditional order again or not: %s', async (_what, earlier, wasAsked, orders) => {
    const { file } = await checks(both);
    const done = checkPortfolio({
      file,
      rulesFile: undefined,
      snapshot: seen,
      memory: { fired: () => [], mark: () => undefined, proposed: () => earlier },
      sectorOf: () => undefined,
      suggest: {
        awaited: new Set(),
        wasAsked: (thread, symbol) => wasAsked && thread === 'th_1' && symbol === 'NVDA',
      },
    });
    expect(words(done)).toEqual(orders);
  });

  it('leave alone what waits for an approval', async () => {
    const { run } = await checks(both);
    expect(words(run(seen, { ...fresh, awaited: new Set(['AAPL', 'NVDA']) }))).toEqual([]);
  });
});

describe('a finding', () => {
  it('speaks in the words of its rule, and the worst comes first', async () => {
    const { run } = await checks(
      rules(
        'name: low, kind: price, symbol: AAPL, below: 200, severity: info',
        'name: high, kind: cash, above: 1%, severity: critical, message: "{severity}: {weight} in cash, {limit} wanted"',
      ),
    );
    expect(run(snapshot()).result.findings).toMatchObject([
      { rule: 'high', message: 'critical: 40.0% in cash, 1% wanted' },
      { rule: 'low', message: 'AAPL is at $100.00, below $200.00' },
    ]);
  });

  it('comes again from a rule whose limit was changed, not from one whose words were', async () => {
    const rule = (limit: number, message: string) =>
      rules(`name: r, kind: price, symbol: AAPL, below: ${limit}, message: "${message}"`);
    const [first, words, limit] = await Promise.all([
      checks(rule(200, 'a')),
      checks(rule(200, 'b')),
      checks(rule(201, 'a')),
    ]);
    const states = first.run(snapshot()).firing.states;
    expect(states).toHaveLength(1);
    expect(words.run(snapshot()).firing.states[0]?.definition).toBe(states[0]?.definition);
    expect(limit.run(snapshot()).firing.states[0]?.definition).not.toBe(states[0]?.definition);
  });
});

it('what is clear of its limit is not told of, however many symbols there are', async () => {
  const file = await parseRules(
    rules(
      'name: move, kind: move, by: 5%',
      'name: weight, kind: concentration, above: 50%',
      'name: old, kind: stale, older_than: 1h',
    ),
    'rules.yaml',
  );
  const symbols = ['AAPL', 'KO', 'MSFT'];
  const before = (symbol: string) => ({ previous_close: symbol === 'KO' ? '90' : '99' });
  const seen = snapshot({
    positions: symbols.map((symbol) => position(symbol, 1, 100)),
    quotes: new Map(symbols.map((symbol) => [symbol, quote(symbol, '100', before(symbol))])),
  });
  const { observations, blind } = observeRules(
    file,
    seen,
    computePortfolioFigures(seen, { sectorOf: () => undefined }),
  );
  expect(observations.map(({ rule, subject }) => `${rule.name} ${subject}`)).toEqual(['move KO']);
  expect(blind).toEqual([]);
});
