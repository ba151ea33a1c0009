import { describe, expect, it } from 'vitest';
import { composeAnswer as plannersAnswer } from '../../../../src/agent/planner/answer.ts';
import { approvalLines, approvalOutcome } from '../../../../src/cli/text/approval-lines.ts';
import { toAscii } from '../../../../src/cli/text/ascii-text.ts';
import { renderTerminalMarkdown } from '../../../../src/cli/text/markdown.ts';
import { wrapWords } from '../../../../src/cli/text/wrap.ts';
import {
  formatDollarAmount,
  formatPercent,
  formatSharePrice,
  formatSignedDollars,
  formatSignedPercent,
} from '../../../../src/trading/amounts.ts';
import { orderFields, orderHeadline } from '../../../../src/trading/order-words.ts';
import { approval, executed, messageApproval, NOW, order } from '../sample-events.ts';

describe('money for people', () => {
  it.each([
    [formatDollarAmount('1234567.5'), '$1,234,567.50'],
    [formatDollarAmount('-0.5'), '-$0.50'],
    [formatSignedDollars('12'), '+$12.00'],
    [formatSignedDollars('0.001'), '$0.00'],
    [formatSharePrice('0.1234'), '$0.1234'],
    [formatSharePrice('180'), '$180.00'],
    [formatSignedPercent('0.0123'), '+1.23%'],
    [formatSignedPercent('-0.5'), '-50.00%'],
  ])('writes %s', (written, expected) => {
    expect(written).toBe(expected);
  });
});

describe('a measured part for people', () => {
  it.each([
    ['0.595659779033', '59.57%'],
    ['0.182345', '18.23%'],
    ['0.25', '25%'],
    ['-0.0512345', '-5.12%'],
    ['0.0000123', '0.001%'],
    ['0', '0%'],
  ])('%s is %s', (fraction, words) => {
    expect(formatPercent(fraction)).toBe(words);
  });

  it('is rounded in what the planner says of the risk', () => {
    const told = {
      period: '1M',
      returns_counted: 21,
      volatility: '0.182345',
      drawdown: { now: '0.012345', high: { value: '100000', at: '2026-11-02T21:00:00Z' }, worst: null },
      concentration: {
        largest: '0.235678',
        five_largest: '0.404340',
        cash: '0.595659779033',
        herfindahl: '0.22',
        effective_positions: '4.53',
      },
      positions: [{ symbol: 'AAPL', value: '23567.80', weight: '0.235678' }],
      simulated: true,
    };
    expect(plannersAnswer([{ tool: 'get_risk', args: {}, content: told }])).toBe(
      'Volatility is **18.23%** a year, based on 21 returns in the last month. The account is 1.23% below its highest value, $100,000.00 on Nov 2, 2026. The largest position is AAPL, 23.57% of the account; the five largest are 40.43%, cash is 59.57%. The account is as diversified as about 4.5 equal positions. Prices are simulated.',
    );
  });
});

describe('an order in words', () => {
  it.each([
    [{ type: 'market' as const, limit_price: undefined }, 'BUY 5 AAPL, market'],
    [{}, 'BUY 5 AAPL, limit $180.00'],
    [{ qty: undefined, notional: '1500.00', type: 'market' as const }, 'BUY $1,500.00 of AAPL, market'],
    [{ type: 'stop_limit' as const, stop_price: '170.00' }, 'BUY 5 AAPL, stop $170.00 limit $180.00'],
    [{ type: 'trailing_stop' as const, trail_percent: '5' }, 'BUY 5 AAPL, trailing stop 5%'],
    [{ type: 'trailing_stop' as const, trail_price: '2.50' }, 'BUY 5 AAPL, trailing stop $2.50'],
  ])('%j', (change, headline) => {
    const changed = Object.entries({ ...approval.order, ...change }).filter(([, value]) => value !== undefined);
    expect(orderHeadline(Object.fromEntries(changed) as typeof approval.order)).toBe(headline);
  });

  it.each([
    [{ max_fees: undefined }, ', $900.00 at most, plus fees; not placed if it would fill over 1% above $179.50'],
    [{ max_fees: '1.03' }, ', $901.03 at most; not placed if it would fill over 1% above $179.50'],
    [
      { side: 'sell', max_fees: undefined },
      ', $900.00 at least, less fees; not placed if it would fill over 1% below $179.50',
    ],
    [{ qty: undefined, notional: '1500.00' }, '; not placed if it would fill over 1% above $179.50'],
    [{ qty: '0.333333', type: 'market', limit_price: undefined }, ', may move 1%; about $59.83 total'],
    [
      { qty: '5000', type: 'stop', limit_price: undefined, stop_price: '170.00' },
      ', may move 1%; about $850,000.00 total',
    ],
    [{ qty: undefined, notional: '1500.00', type: 'market', limit_price: undefined }, ', may move 1%'],
  ])('says what it comes to, and of a limit alone no other bound: %j', (change, sum) => {
    const order = { ...approval.order, ...change } as typeof approval.order;
    expect(new Map(orderFields(order)).get('price')).toBe(`$179.50 now${sum}`);
  });

  it('names live money by a word', () => {
    expect(orderFields({ ...approval.order, environment: 'live' })).toContainEqual(['account', 'PA3ALICE01 LIVE']);
  });
});

describe('a message’s approval in plain lines', () => {
  it('has every line of the text on a line of its own', () => {
    expect(approvalLines(messageApproval, undefined, NOW, 'desk-7').slice(0, 7)).toEqual([
      'Approval needed (pr_m7qp2m4x)',
      '  code      M7QP (must match the code on your phone)',
      '  asked by  trade-agent on desk-7',
      '  to        message to #trading on Slack',
      '  text      Equity $1.00',
      '            AAPL: 5',
      '  id        ta-abcdefgh',
    ]);
  });

  it('ends as sent, or says that it was not', () => {
    expect(approvalOutcome({ ...messageApproval, status: 'executed' })).toBe('message to #trading on Slack: sent');
    expect(approvalOutcome({ ...messageApproval, status: 'cancelled' })).toContain('not sent');
  });
});

describe('an approval in plain lines', () => {
  it('has the code, every field, the expiry and where to approve', () => {
    const warned = { ...approval, warnings: ['the limit is 12% above the price'] };
    expect(approvalLines(warned, 'http://127.0.0.1:4747/phone', NOW, 'desk-7')).toEqual([
      'Approval needed (pr_k7qp2m4x)',
      '  code      K7QP (must match the code on your phone)',
      '  asked by  trade-agent on desk-7 (chat)',
      '  order     BUY 5 AAPL, limit $180.00',
      '  account   PA3ALICE01 PAPER',
      '  duration  day (until the close)',
      '  price     $179.50 now, $900.00 at most; not placed if it would fill over 1% above $179.50',
      '  order ID  ta-abcdefgh',
      '  at worst  costs at most $900.00',
      '  warning   the limit is 12% above the price',
      '  decide by 2026-01-30T14:35:00Z (in 5:00)',
      '  approve   http://127.0.0.1:4747/phone (or: trade-agent phone)',
      '  Deny it on the phone if you did not make this request.',
    ]);
  });

  it('of a cancel says which order it is, and that it protects', () => {
    const { order: _, kind: _kind, ...base } = approval;
    const stop = { ...order, side: 'sell', type: 'stop', limit_price: null, stop_price: '170.00' } as const;
    const cancel = {
      account: 'PA3ALICE01',
      environment: 'paper',
      order: stop,
      protects: true,
      client_cancel_id: 'ta-cancelid',
      expires_at: '2026-01-30T14:35:00Z',
    } as const;
    const shown = { ...base, kind: 'cancel', cancel, worst_case: null, placed: undefined } as const;
    expect(approvalLines(shown, undefined, NOW, 'desk-7')).toEqual(
      expect.arrayContaining([
        '  cancel    SELL 5 AAPL, stop $170.00',
        '  protects  a position: without this order, you could lose more',
      ]),
    );
    expect(approvalOutcome({ ...shown, status: 'denied' })).toBe(
      'CANCEL SELL 5 AAPL, stop $170.00: denied on the phone; nothing was changed',
    );
  });

  it('says how it ended', () => {
    expect(approvalOutcome(executed)).toBe('Bought 5 AAPL at $179.51');
    expect(approvalOutcome({ ...approval, status: 'blocked', reason: 'price_moved' })).toContain('price_moved');
    expect(approvalOutcome({ ...approval, status: 'denied', reason: 'denied on the phone' })).toBe(
      'BUY 5 AAPL, limit $180.00: denied on the phone; nothing was ordered',
    );
  });
});

describe('wrapping', () => {
  it('breaks between words and never inside one', () => {
    expect(wrapWords('asks to see and to cancel', 8)).toEqual(['asks to', 'see and', 'to', 'cancel']);
    expect(wrapWords('averyveryverylongword x', 5)).toEqual(['averyveryverylongword', 'x']);
  });
});

describe('Markdown on a terminal', () => {
  const table = '# Prices\n\n| Symbol | Last |\n| --- | --- |\n| AAPL | 251.26 |\n| F | 9.10 |\n\n**Simulated.**';

  it('aligns tables, numbers to the right, and drops the marks', () => {
    expect(renderTerminalMarkdown(table, 80)).toBe(
      'Prices\n\nSymbol    Last\nAAPL    251.26\nF         9.10\n\nSimulated.',
    );
  });

  it('writes a table that is too wide as lines of named values', () => {
    expect(renderTerminalMarkdown(table, 12)).toContain('AAPL · Last 251.26\nF · Last 9.10');
  });

  it('breaks names where a table is a little too wide: an option among shares fits into 80 columns', () => {
    const account = { account: 'PA3', environment: 'paper', status: 'ACTIVE', currency: 'USD', cash: '1000' };
    const money = { equity: '99999.99', last_equity: '99000', buying_power: '1000', long_market_value: '0' };
    const held = { side: 'long', qty_available: '2', avg_entry_price: '1', cost_basis: '6000' };
    const more = {
      unrealized_pl: '1234.56',
      unrealized_plpc: '0.2',
      change_today: '0',
      lastday_price: '170',
    };
    const positions = [
      { symbol: 'AAPL', qty: '40', current_price: '180', lastday_price: '170', market_value: '7200' },
      {
        symbol: 'AAPL261218C00190000',
        qty: '2',
        current_price: '5.25',
        lastday_price: '5',
        market_value: '1050',
      },
    ].map((one) => ({ ...held, ...more, ...one }));
    const content = { account: { ...account, ...money, trading_blocked: false, simulated: true }, positions };
    const answer = plannersAnswer([{ tool: 'get_portfolio', args: {}, content }]);
    const [, table = ''] = renderTerminalMarkdown(answer, 80).split('\n\n');
    const lines = table.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      'Symbol',
      'AAPL',
      'AAPL Dec 18 2026',
      '$190 call',
      'Total',
    ]);
    expect(lines[2]).toMatch(/^AAPL Dec 18 2026 +2 +\$5\.25 .*\+20\.58%$/);
    // As long as it fits it is one line.
    expect(renderTerminalMarkdown(answer, 120)).toContain('AAPL Dec 18 2026 $190 call  ');
  });

  it('shows code as it is, without its fences', () => {
    expect(renderTerminalMarkdown('Run:\n```sh\n# a | b **c**\n```\nDone', 80)).toBe('Run:\n  # a | b **c**\nDone');
  });

  it('sets off headings, strong words and the heads of tables where it may', () => {
    const strong = (text: string) => `<${text}>`;
    expect(renderTerminalMarkdown(table, 80, { strong })).toBe(
      '<Prices>\n\n<Symbol    Last>\nAAPL    251.26\nF         9.10\n\n<Simulated.>',
    );
  });
});

describe('text without Unicode', () => {
  it('keeps what can be kept', () => {
    expect(toAscii('Zoë’s “5 · 6” … ½ 日')).toBe('Zoe\'s "5 | 6" ... 1?2 ?');
  });
});
