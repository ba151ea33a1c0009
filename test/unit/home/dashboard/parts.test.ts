import { describe, expect, it } from 'vitest';
import { proposalDigest } from '../../../../src/approval/details.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { AccountReads, DashboardData } from '../../../../src/home/phone/dashboard/dashboard-data.ts';
import {
  type DashboardPartName,
  dashboardPartNames,
  renderDashboardPart,
} from '../../../../src/home/phone/dashboard/parts.ts';
import type { AccountEntry } from '../../../../src/trading/account-entry.ts';
import type { Activity } from '../../../../src/trading/activity.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import type { Proposal } from '../../../../src/trading/proposal.ts';
import type { Account, Order, Position, Quote } from '../../../../src/trading/views.ts';

const account = {
  ...{ account: 'PA1', environment: 'paper', status: 'ACTIVE', currency: 'USD', cash: '600.00' },
  ...{ equity: '1000.00', last_equity: '1010.00', buying_power: '600.00', long_market_value: '400.00' },
  ...{ trading_blocked: false, simulated: false },
} as Account;
const position = {
  ...{ symbol: 'AAPL', side: 'long', qty: '2', qty_available: '2', avg_entry_price: '150' },
  ...{ current_price: '200', lastday_price: '205', market_value: '400', cost_basis: '300' },
  ...{ unrealized_pl: '100', unrealized_plpc: '0.3333', change_today: '-0.0244' },
} as Position;
const order = {
  ...{ id: 'o1', client_order_id: 'c1', symbol: 'AAPL', side: 'buy', type: 'limit', time_in_force: 'gtc' },
  ...{ qty: '2', notional: null, limit_price: '150', stop_price: null, trail_price: null },
  ...{ trail_percent: null, extended_hours: false, status: 'new', filled_qty: '0' },
  ...{ filled_avg_price: null, submitted_at: '2026-11-26T12:00:00.123Z', filled_at: null },
} as Order;

const quote: Quote = {
  ...{ symbol: 'AAPL', name: 'Apple Inc.', bid: '199.9', ask: '200.1', last: '200', previous_close: '205' },
  ...{ at: '2026-11-26T12:00:00Z', simulated: false },
};

function proposal(changes: Partial<Proposal> = {}): Proposal {
  return {
    id: 'pr_12345678',
    kind: 'lift',
    state: 'executed',
    code: 'Q7ZK',
    subject: { client_lift_id: 'l1', since: '2026-11-26T11:00:00Z', expires_at: '2026-11-26T12:05:00Z' },
    worst_case: null,
    warnings: [],
    created_at: '2026-11-26T12:00:00.000Z',
    expires_at: '2026-11-26T12:05:00Z',
    updated_at: '2026-11-26T12:01:00.000Z#7',
    requested_by: 'chat',
    client: 'trade-agent',
    approval: { method: 'ciba', phone_url: 'https://home.example/phone' },
    ...changes,
  } as Proposal;
}

function data(changes: Partial<DashboardData> = {}): DashboardData {
  return {
    accounts: async () => [],
    inAccount: () => {
      throw new Error('there is but one');
    },
    account: async () => account,
    positions: async () => [position],
    orders: async () => [order],
    valueHistory: async () => [],
    activities: async () => [],
    quotes: async () => [quote],
    bars: async () => [],
    news: async () => [],
    proposals: async () => [proposal()],
    mandates: async () => [],
    halted: async () => ({ state: 'active' }),
    record: async () => [],
    verifyRecord: async () => ({ ok: true, lines: 3, pending: 0 }),
    withdraw: async () => undefined,
    halt: async () => undefined,
    follow: async () => undefined,
    agent: {
      chat: '/chat',
      schedules: async () => [],
      runs: async () => [],
      findings: async () => [],
      threads: async () => [],
    },
    ...changes,
  };
}

const noTrade = { side: null, qty: null, price: null };
const form = { path: '/dashboard', formToken: 't', hidesCodes: false };
const now = Date.parse('2026-11-26T12:02:00Z');
const entry = (number: string | null, label: string, isDefault = false): AccountEntry => ({
  ...{ account: number, broker: label.toLowerCase(), label, environment: 'paper', default: isDefault },
  ...(number === null ? { problem: 'broker_unavailable' } : {}),
});
/** Two accounts, of which each says its number. */
const several = (second: Partial<AccountReads> = {}): Partial<DashboardData> => ({
  accounts: async () => [entry('PA1', 'Alpaca', true), entry('TR2', 'Tradier')],
  inAccount: (number) => ({
    ...data(),
    account: async () => ({ ...account, account: number }),
    positions: async () => [{ ...position, symbol: number === 'PA1' ? 'AAPL' : 'KO' }],
    orders: async () => [{ ...order, symbol: number === 'PA1' ? 'AAPL' : 'KO' }],
    ...(number === 'TR2' ? second : {}),
  }),
});
const partIn = async (chosen: string | undefined, name: DashboardPartName, of: Partial<DashboardData>) =>
  (await renderDashboardPart(name, { data: data(of), account: chosen, period: '1M', form, page: '/dashboard', now }))
    .html;
const part = async (name: DashboardPartName, of: Partial<DashboardData> = {}) =>
  (await renderDashboardPart(name, { data: data(of), period: '1M', form, page: '/dashboard', now })).html;

describe('money', () => {
  it('has a color and a sign, and says where it is simulated', async () => {
    const summary = await part('summary');
    expect(summary).toContain('<span class="loss">-$10.00</span>');
    expect(summary).not.toContain('data-testid="simulated"');
    expect(await part('summary', { account: async () => ({ ...account, simulated: true }) })).toContain(
      'data-testid="simulated"',
    );
    expect(await part('positions')).toContain('<span class="gain">+$100.00</span>');
  });

  it('of which nothing is held says so', async () => {
    expect(await part('positions', { positions: async () => [] })).toContain('No positions; $600.00 in cash.');
  });

  it('has each position’s name and a line of its last month', async () => {
    const bars = async () =>
      ['100', '90', '80'].map((close, day) => ({
        ...{ at: `2026-11-1${day}T05:00:00Z`, open: close, high: close, low: close, close, volume: '1' },
      }));
    for (const name of ['positions', 'holdings'] as const) {
      const html = await part(name, { bars });
      expect(html).toContain('data-testid="asset-name">Apple Inc.</span>');
      expect(html).toContain('class="spark loss"');
      expect(html).toContain('aria-label="-20.00% in a month"');
      expect(html).toContain('points="0.0,0.0 50.0,15.0 100.0,30.0"');
    }
    const failing = () => Promise.reject(new HttpProblem(503, 'broker_unavailable', 'no'));
    const bare = await part('positions', { bars: failing, quotes: failing });
    expect(bare).toContain('AAPL');
    expect(bare).not.toContain('data-testid="unread"');
    expect(bare).not.toMatch(/asset-name|sparkline/);
    const option = { ...position, symbol: 'AAPL261218C00190000' };
    expect(await part('positions', { positions: async () => [option], quotes: failing })).toContain(
      'AAPL Dec 18 2026 $190 call</span>',
    );
  });
});

describe('value over time', () => {
  const values = ['1000', '1100', '990', '1090'].map((equity, index) => ({
    at: `2026-11-0${index + 2}T21:00:00Z`,
    equity,
  }));
  const deposit: Activity = {
    id: 'a',
    kind: 'deposit',
    type: 'CSD',
    at: '2026-11-05T12:00:00Z',
    ...{ symbol: null, side: null, qty: null, price: null },
    amount: '100',
  };
  const drawn = (html: string) => JSON.parse((/data-chart="([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&quot;', '"'));

  const fill = (at: string, side: 'buy' | 'sell', symbol: string): Activity => ({
    ...{ id: `${at}${side}${symbol}`, kind: 'fill', type: 'FILL', amount: null, qty: '2', price: '10' },
    ...{ at, side, symbol },
  });
  const dailyBar = (at: string, close: string) => ({
    ...{ at, open: close, high: close, low: close, close, volume: '1' },
  });

  it('is drawn beside a benchmark that had the same deposits, and with the person’s own trades', async () => {
    const asked: unknown[] = [];
    const html = await part('value', {
      valueHistory: async () => values,
      activities: async () => [
        deposit,
        fill('2026-11-03T15:00:00Z', 'buy', 'AAPL'),
        ...['KO', 'PEP', 'F'].map((symbol) => fill('2026-11-05T20:00:00Z', 'sell', symbol)),
      ],
      bars: async (query) => {
        asked.push(query);
        return ['100', '110', '110', '121'].map((close, index) => dailyBar(`2026-11-0${index + 2}T05:00:00Z`, close));
      },
    });
    expect(drawn(html)).toMatchObject({
      // The deposit before the last value earns what the benchmark made on the last day.
      benchmark: { name: 'SPY', value: [1000, 1100, 1100, 1320] },
      trades: [
        [1, 'buy', 'bought 2 AAPL'],
        [3, 'sell', 'sold 2 KO, 2 PEP and 1 more'],
      ],
    });
    expect(asked).toMatchObject([{ symbol: 'SPY', timeframe: '1Day', adjustment: 'all' }]);
    expect(html).toContain('Same money in SPY: <span class="gain">+21.00%</span>');
  });

  it.each([
    ['begin too late', async () => [dailyBar('2026-11-04T05:00:00Z', '100')]],
    ['can’t be read', () => Promise.reject(new HttpProblem(501, 'broker_lacks', 'no'))],
  ])('is drawn without a benchmark whose prices %s', async (_, bars) => {
    const html = await part('value', { valueHistory: async () => values, bars });
    expect(drawn(html).benchmark).toBeUndefined();
    expect(html).not.toContain('data-testid="benchmark"');
    expect(html).toContain('-10.0%');
  });

  it('is drawn with how far it was below its highest', async () => {
    const html = await part('value', { valueHistory: async () => values });
    expect(drawn(html)).toMatchObject({ value: [1000, 1100, 990, 1090], drawdown: [0, 0, -0.1, -0.009091] });
    expect(html).toContain('-10.0%');
    expect(html).toContain('<span class="gain">+$90.00</span>');
  });

  it('takes money that came in for no gain', async () => {
    const html = await part('value', { valueHistory: async () => values, activities: async () => [deposit] });
    expect(drawn(html).drawdown[3]).toBeCloseTo(-0.1);
    expect(html).toContain('<span class="loss">-$10.00</span> excluding net deposits of $100.00');
  });

  it('of less than two days is not drawn', async () => {
    expect(await part('value', { valueHistory: async () => values.slice(0, 1) })).toContain('No chart yet');
  });
});

describe('the phone’s first page', () => {
  const many = Array.from({ length: 50 }, (_, index) => ({
    ...position,
    symbol: `S${index}`,
    market_value: String(1000 - index),
  }));
  const values = (day: string) =>
    ['1000', '1010'].map((equity, index) => ({ at: `2026-11-${day}T1${5 + index}:00:00Z`, equity }));

  it('lists the largest positions, the rest below, and the cash', async () => {
    const html = await part('holdings', { positions: async () => many });
    expect(html.match(/data-testid="holding"/g)).toHaveLength(50);
    expect(html.indexOf('40 smaller positions')).toBeGreaterThan(html.indexOf('>S9<'));
    expect(html.indexOf('40 smaller positions')).toBeLessThan(html.indexOf('>S10<'));
    expect(html).toContain('<strong>$600.00</strong>');
    expect(await part('holdings')).toContain('<span class="loss">-$10.00</span> (<span class="loss">-2.44%</span>)');
  });

  it('keeps every digit of a tiny price, and shows a loss of everything', async () => {
    const coin = {
      ...position,
      symbol: 'PEPE/USD',
      qty: '12345678.9',
      current_price: '0.0001',
      lastday_price: '0.0002',
    };
    const html = await part('holdings', { positions: async () => [{ ...coin, market_value: '1234.57' }] });
    expect(html).toContain('12,345,678.9 × $0.0001');
    const gone = { ...position, current_price: '0', market_value: '0', change_today: '-1' };
    expect(await part('holdings', { positions: async () => [gone] })).toContain('-100.00%');
  });

  it('lists trades and payments, latest first', async () => {
    const activities: Activity[] = [
      {
        ...{ id: '1', kind: 'deposit', type: 'CSD', at: '2026-11-20T05:00:00Z', symbol: null },
        ...noTrade,
        amount: '100',
      },
      {
        ...{ id: '2', kind: 'fill', type: 'FILL', at: '2026-11-24T15:00:00Z', symbol: 'AAPL' },
        ...{ side: 'buy', qty: '2', price: '150.5', amount: null },
      },
    ];
    const html = await part('activity', { activities: async () => activities });
    expect(html.indexOf('Bought 2 AAPL')).toBeLessThan(html.indexOf('Deposit'));
    expect(html).toContain('at $150.50');
    expect(html).toContain('<span>-$301.00</span>');
    expect(html).toContain('+$100.00');
  });

  it('takes filled orders where the broker lists no activities', async () => {
    const html = await part('activity', {
      orders: async () => [
        { ...order, status: 'filled', filled_qty: '2', filled_avg_price: '149', filled_at: '2026-11-25T15:00:00Z' },
        order,
      ],
      activities: async () => {
        throw new HttpProblem(501, 'broker_lacks', 'this broker lists no activities');
      },
    });
    expect(html.match(/data-testid="activity-line"/g)).toHaveLength(1);
    expect(html).toContain('Bought 2 AAPL');
  });

  it('shows the last day that has values while today has none', async () => {
    const asked: string[] = [];
    const view = {
      data: data({
        valueHistory: async (period) => {
          asked.push(period);
          return period === '1D' ? [] : [...values('24'), ...values('25')];
        },
      }),
      ...({ period: '1D', form, page: '/phone', now } as const),
    };
    const { html } = await renderDashboardPart('curve', view);
    expect(asked).toEqual(['1D', '1W']);
    expect(html).toContain('On Nov 25, 2026: $1,000.00 to $1,010.00, <span class="gain">+$10.00</span>');
    expect(html).not.toContain('drawdown');
  });
});

describe('a symbol’s page', () => {
  const bars = ['190', '195', '200'].map((close, index) => ({
    ...{ at: `2026-11-2${3 + index}T05:00:00Z`, close },
    ...{ open: close, high: close, low: close, volume: '1' },
  }));
  const fill: Activity = {
    ...{ id: '2', kind: 'fill', type: 'FILL', at: '2026-11-24T15:00:00Z', symbol: 'AAPL' },
    ...{ side: 'buy', qty: '2', price: '150', amount: null },
  };
  /** What the marks on the chart mean. */
  const keyOf = (html: string) => [...html.matchAll(/<\/svg><\/span>(You \w+)<\/li>/g)].map(([, words]) => words);
  const of = async (name: DashboardPartName, changes: Partial<DashboardData> = {}, symbol = 'AAPL') =>
    (
      await renderDashboardPart(name, {
        ...{ data: data(changes), period: '1M', form, page: '/dashboard/symbol', now, symbol },
      })
    ).html;

  it('says name, price and change, also of a price far below a cent', async () => {
    const html = await of('quote');
    expect(html).toContain('Apple Inc.');
    expect(html).toContain('<span class="loss">-$5.00</span> (<span class="loss">-2.44%</span>)');
    const coin = { ...quote, name: null, last: '0.0001', previous_close: '0.0002' };
    const tiny = await of('quote', { quotes: async () => [coin] }, 'PEPE/USD');
    expect(tiny).toContain('>PEPE/USD<');
    expect(tiny).toContain('>$0.0001<');
    expect(tiny).toContain('(<span class="loss">-50.00%</span>)');
  });

  it('marks the person’s own trades on the chart, and none of another symbol', async () => {
    const html = await of('price', {
      bars: async () => bars,
      activities: async () => [fill, { ...fill, id: '3', symbol: 'KO' }],
    });
    const chart = JSON.parse((/data-chart="([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&quot;', '"'));
    expect(chart).toMatchObject({ value: [190, 195, 200], trades: [[1, 'buy']] });
    expect(html).toContain('$190.00 to $200.00 (<span class="gain">+5.26%</span>).');
    expect(keyOf(html)).toEqual(['You bought']);
    const sold: Activity = { ...fill, id: '4', side: 'sell' };
    expect(keyOf(await of('price', { bars: async () => bars, activities: async () => [fill, sold] }))).toEqual([
      'You bought',
      'You sold',
    ]);
    expect(keyOf(await of('price', { bars: async () => bars, activities: async () => [] }))).toEqual([]);
  });

  it('shows the position with its lots, or that there is none', async () => {
    const html = await of('held', { activities: async () => [fill] });
    expect(html).toContain('<dt>Average cost</dt><dd>$150.00</dd>');
    expect(html).toContain('1 lot<');
    expect(html).toContain('<strong>2</strong> since Nov 24, 2026');
    expect(await of('held', {}, 'KO')).toContain('You have no position.');
  });

  it('lists its own open orders and trades only', async () => {
    const orders = async () => [order, { ...order, id: 'o2', symbol: 'KO' }, { ...order, id: 'o3', status: 'filled' }];
    expect((await of('pending', { orders })).match(/data-testid="order"/g)).toHaveLength(1);
    expect(await of('pending', { orders }, 'MSFT')).toContain('No open orders.');
    const trades = await of('trades', { activities: async () => [fill, { ...fill, symbol: 'KO' }] });
    expect(trades.match(/data-testid="activity-line"/g)).toHaveLength(1);
  });

  it('links news over https only, and never lets a headline become markup', async () => {
    const article = {
      ...{ id: 'n1', headline: '<b>Up</b>', summary: '', source: 'Wire', author: '', symbols: ['AAPL'] },
      ...{ url: 'https://example.com/a', at: '2026-11-26T10:00:00Z', simulated: false },
    };
    const html = await of('news', {
      news: async () => [article, { ...article, id: 'n2', url: 'javascript:alert(1)' as string }],
    });
    expect(html).toContain('<a href="https://example.com/a" target="_blank" rel="noopener noreferrer">&lt;b&gt;Up');
    expect(html).not.toContain('javascript:');
  });
});

describe('a proposal’s story', () => {
  const digest = proposalDigest({
    ...{ kind: 'lift', subject: proposal().subject, worst_case: null, provenance: null },
    ...{ requested_by: 'chat', client: 'trade-agent' },
  });
  const line = (leaf: number, event: string, more: object) => ({
    ...{ leaf, event, at: `2026-11-26T12:00:0${leaf}.500Z` },
    ...more,
  });
  const record = (signed: string) => async () => [
    line(4, 'executed', { proposal: 'pr_12345678' }),
    line(3, 'signed', {
      approval: 'pr_12345678',
      method: 'webauthn',
      device_type: 'multiDevice',
      digest: signed,
    }),
    line(2, 'requested', { proposal: 'pr_12345678' }),
    line(1, 'proposed', { proposal: 'pr_another1' }),
  ];
  const steps = (html: string) => [...html.matchAll(/<li><span>([^<]+)<\/span>/g)].map(([, words]) => words);

  it('has each state in its order, by the record', async () => {
    expect(steps(await part('proposals', { record: record(digest) }))).toEqual([
      'Approval requested on the phone',
      'Signed',
      'Executed',
    ]);
  });

  it('says by which key it was signed, and that what was signed is what is shown', async () => {
    const html = await part('proposals', { record: record(digest) });
    expect(html).toContain('Signed by a synced passkey. The signature matches this proposal');
  });

  it('says where something else was signed', async () => {
    const html = await part('proposals', { record: record('A'.repeat(43)) });
    expect(html).toContain('The signature does NOT match this proposal.');
  });

  it('is shorter where the record can’t be read', async () => {
    const gone = async () => {
      throw new HttpProblem(404, 'not_found', 'there is no such endpoint');
    };
    expect(steps(await part('proposals', { record: gone }))).toEqual(['Proposed', 'Executed']);
  });

  it('can be withdrawn while it waits, and never once it may be under way', async () => {
    const states = {
      requested: true,
      approved: true,
      executing: false,
      unknown: false,
      denied: false,
    } as const;
    for (const [state, can] of Object.entries(states)) {
      const html = await part('proposals', { proposals: async () => [proposal({ state } as never)] });
      expect(html.includes('data-testid="withdraw"'), state).toBe(can);
    }
  });
});

describe('where the person decides on this page', () => {
  const record = async () => [{ leaf: 1, at: '2026-11-26T12:00:01Z', event: 'requested', code: 'Q7ZK' }];
  const shown = async (name: DashboardPartName, state: Proposal['state'], hidesCodes: boolean) => {
    const of = data({ record, proposals: async () => [proposal({ state } as never)] });
    const made = await renderDashboardPart(name, {
      data: of,
      period: '1M',
      form: { ...form, hidesCodes },
      page: '/dashboard',
      now,
    });
    return made.html.includes('Q7ZK');
  };

  it('no code is shown that is still to be compared with the terminal’s', async () => {
    expect(await shown('proposals', 'requested', true)).toBe(false);
    expect(await shown('record', 'requested', true)).toBe(false);
    expect(await shown('proposals', 'executed', true)).toBe(true);
  });

  it('elsewhere it is', async () => {
    expect(await shown('proposals', 'requested', false)).toBe(true);
    expect(await shown('record', 'requested', false)).toBe(true);
  });
});

describe('the card of what waits', () => {
  const waiting = (url?: string) => async () => [
    proposal({
      state: 'requested',
      approval: { method: 'ciba', ...(url === undefined ? {} : { phone_url: url }) },
    }),
  ];

  it('is only read, and leads to the phone’s page', async () => {
    const html = await part('waiting', { proposals: waiting('https://home.example/phone') });
    expect(html).toContain('href="https://home.example/phone"');
    expect(html).not.toContain('<button');
  });

  it.each(['javascript:alert(1)', 'http://home.example/phone', 'data:text/html,x'])(
    'leads nowhere by %s',
    async (url) => {
      const html = await part('waiting', { proposals: waiting(url) });
      expect(html).toContain('Decide on your phone.');
      expect(html).not.toContain('<a ');
    },
  );
});

it('a record that is not whole is said to be so, with its line', async () => {
  const html = await part('record', {
    verifyRecord: async () => ({ ok: false, line: 7, what: 'changed' }),
  });
  expect(html).toContain('data-ok="false"');
  expect(html).toContain('entry 7 was changed');
});

it('what is kept where the agent runs is said to be there', async () => {
  const { agent: _, ...home } = data();
  for (const name of ['schedules', 'findings', 'threads'] as const)
    expect(await part(name, { ...home, agent: undefined })).toContain('stored where your agent runs');
});

describe('what can’t be read', () => {
  it.each([
    ['a server', new TradeAgentError('gateway_unreachable', 'the gateway cannot be reached', { hint: 'Is it up?' })],
    [
      'a refusal',
      new HttpProblem(409, 'account_not_connected', 'the gateway cannot be reached', { hint: 'Is it up?' }),
    ],
  ])('by %s says what happened and what to do', async (_, error) => {
    const html = await part('summary', { account: () => Promise.reject(error) });
    expect(html).toContain('the gateway cannot be reached');
    expect(html).toContain('Is it up?');
  });

  it('by a bug tells nothing of what is inside', async () => {
    const html = await part('summary', { account: () => Promise.reject(new Error('secret at /private/x')) });
    expect(html).toContain('something went wrong');
    expect(html).not.toContain('secret');
  });
});

describe('text from anywhere', () => {
  const hostile = `"><img src=x onerror=alert(1)>'</script><script>alert(2)</script>\u202e`;
  const everywhere: Partial<DashboardData> = {
    account: async () => ({ ...account, account: hostile }),
    positions: async () => [{ ...position, symbol: hostile }],
    orders: async () => [{ ...order, symbol: hostile, submitted_at: hostile }],
    proposals: async () => [
      proposal({
        state: 'requested',
        ...{ requested_by: hostile, client: hostile, warnings: [hostile], shows: { [hostile]: hostile } },
        // Printable ASCII, by its schema.
        provenance: { fields: {}, sentence: hostile, tainted_by: [hostile.slice(0, -1)] },
        reason: { code: 'policy_denied', text: hostile },
      } as never),
    ],
    record: async () => [{ leaf: 1, at: hostile, event: hostile, code: hostile, kind: hostile }],
    agent: {
      chat: '/chat',
      schedules: async () => [{ id: 's', name: hostile, when: hostile, next: hostile, overdue: hostile }],
      runs: async () => [
        {
          ...{ schedule: hostile, started_at: hostile, status: hostile, found: 1 },
          findings: [{ severity: hostile, message: hostile }],
          error: { message: hostile },
        },
      ],
      findings: async () => [{ rule: hostile, subject: hostile, since: hostile }],
      threads: async () => [{ thread: 't', prompt: hostile, status: hostile, updated_at: hostile }],
    },
  };

  it.each(dashboardPartNames)('is no markup in %s, and turns nothing around', async (name) => {
    const html = await part(name, everywhere);
    expect(html).not.toContain('data-testid="unread"');
    expect(html).not.toMatch(/<img|<script|\u202e/);
  });
});

describe('a person with two accounts', () => {
  it('chooses between them, and all of them; nobody else is asked to', async () => {
    const nav = await partIn(undefined, 'accounts', several());
    expect(nav).toContain('<a href="/dashboard?period=1M&amp;account=PA1" aria-current="page">PA1 at Alpaca PAPER</a>');
    expect(nav).toContain('<a href="/dashboard?period=1M&amp;account=TR2" >TR2 at Tradier PAPER</a>');
    expect(await partIn('all', 'accounts', several())).toMatch(/account=all" aria-current="page">All</);
    expect(await part('accounts')).toBe('');
    const older = { accounts: () => Promise.reject(new TradeAgentError('not_found', 'no such path')) };
    expect(await part('accounts', older)).toBe('');
  });

  it('sees one of them alone, where that was chosen', async () => {
    expect(await partIn('TR2', 'positions', several())).toContain('KO');
    expect(await partIn('TR2', 'orders', several())).not.toContain('AAPL');
  });

  it.each<DashboardPartName>(['positions', 'orders', 'summary', 'value'])(
    'sees the %s of each below its name',
    async (name) => {
      const html = await partIn('all', name, several());
      const [, first = '', second = ''] = html.split('data-testid="of-account"');
      expect([first, second]).toEqual([
        expect.stringContaining('<h3>PA1 at Alpaca</h3>'),
        expect.stringContaining('<h3>TR2 at Tradier</h3>'),
      ]);
      if (name === 'summary') expect(html).toMatch(/data-testid="totals">.*\$2,000\.00/s);
      if (name === 'orders')
        expect([first, second]).toEqual([expect.stringContaining('AAPL'), expect.stringContaining('KO')]);
    },
  );

  it('is told in its place of one that can’t be read, and that the total lacks it', async () => {
    const down = {
      account: () => Promise.reject(new TradeAgentError('broker_unreachable', 'it does not answer')),
    };
    const html = await partIn('all', 'summary', several(down));
    expect(html).toMatch(/excluding TR2 at Tradier.*\$1,000\.00/s);
    expect(html).toMatch(/<h3>TR2 at Tradier<\/h3>.*it does not answer/s);
    const unknown = {
      ...several(),
      accounts: async () => [entry('PA1', 'Alpaca', true), entry(null, 'Tradier')],
    };
    expect(await partIn('all', 'positions', unknown)).toMatch(/<h3>Tradier<\/h3>.*broker_unavailable/s);
  });
});
