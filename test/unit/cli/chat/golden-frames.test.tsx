import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import type { ChatDriver } from '../../../../src/cli/chat/chat-driver.ts';
import { chartText } from '../../../../src/cli/text/chart.ts';
import { portfolioTable } from '../../../../src/cli/text/portfolio-table.ts';
import { createPaint } from '../../../../src/cli/text/theme.ts';
import { buildPortfolioView } from '../../../../src/trading/portfolio/portfolio-view.ts';
import type { Account, Bar, Position } from '../../../../src/trading/views.ts';
import { approval, doneResult, executed, NOW } from '../sample-events.ts';
import { openScreen, status } from './chat-screen.tsx';

// Ink colors by chalk, which looks at the environment once, and another file's frames may have been first.
const { default: chalk } = await import(createRequire(import.meta.resolve('ink')).resolve('chalk'));
const { level } = chalk;
const { TZ } = process.env;
beforeAll(() => {
  chalk.level = 1;
  process.env.TZ = 'UTC';
});
afterAll(() => {
  chalk.level = level;
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

const account: Account = {
  account: 'PA3ALICE01',
  environment: 'paper',
  status: 'ACTIVE',
  currency: 'USD',
  cash: '60544.15',
  equity: '96673.45',
  last_equity: '96275.95',
  buying_power: '60544.15',
  long_market_value: '36129.30',
  trading_blocked: false,
  simulated: true,
};
const held = (symbol: string, qty: string, now: string, before: string, cost: string): Position => {
  const [size, price] = [Number(qty), Number(now)];
  return {
    symbol,
    side: 'long',
    qty,
    qty_available: qty,
    avg_entry_price: cost,
    current_price: now,
    lastday_price: before,
    market_value: (size * price).toFixed(2),
    cost_basis: (size * Number(cost)).toFixed(2),
    unrealized_pl: (size * (price - Number(cost))).toFixed(2),
    unrealized_plpc: '0',
    change_today: '0',
  };
};
const positions = [
  held('MSFT', '25', '386.81', '379.84', '418.00'),
  held('NVDA', '60', '150.81', '147.11', '161.08'),
  held('JPM', '20', '252.66', '254.69', '249.12'),
];
const bars: Bar[] = Array.from({ length: 62 }, (_, day) => {
  const [open, close] = [0, 1].map((step) => 200 + 20 * Math.sin((day + step) / 6) + ((day * 7) % 5));
  return {
    at: new Date(NOW - (62 - day) * 86_400_000).toISOString(),
    open: (open ?? 0).toFixed(2),
    close: (close ?? 0).toFixed(2),
    high: (Math.max(open ?? 0, close ?? 0) + 2).toFixed(2),
    low: (Math.min(open ?? 0, close ?? 0) - 2).toFixed(2),
    volume: String(1_000_000 + ((day * 37) % 11) * 400_000),
  };
});
const shown = { ...status, value: '$96,673.45' };

type Theme = 'dark' | 'light' | 'color-blind';

/** The chat on a screen of this size, its reports drawn by the code that draws them. */
function open(theme: Theme, columns: number, rows: number) {
  const paint = createPaint(theme, true);
  const closes = new Map(positions.map(({ symbol }, index) => [symbol, bars.slice(index * 9).map((bar) => bar.close)]));
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  const driver = {
    async *run(): AsyncGenerator<AgentEvent> {
      yield {
        type: 'tool_call',
        id: 'c1',
        name: 'place_order',
        args: { side: 'buy', qty: '5', symbol: 'AAPL' },
      };
      yield { type: 'approval', approval };
      await decided;
      yield { type: 'approval', approval: executed };
      yield { type: 'tool_result', id: 'c1', name: 'place_order', ok: true, ms: 900, summary: 'filled' };
      yield { type: 'text', delta: 'Bought 5 AAPL at $179.51.' };
      yield { type: 'result', result: doneResult };
    },
    status: async () => shown,
    orders: async () => [],
    approvals: async () => [],
    events: async () => undefined,
    threads: async () => [
      {
        thread: 'th_1',
        prompt: 'buy 3 KO',
        status: 'done',
        updated_at: new Date(NOW - 3_600_000).toISOString(),
      },
      {
        thread: 'th_2',
        prompt: 'what do I own',
        status: 'failed',
        updated_at: new Date(NOW - 90_000_000).toISOString(),
      },
    ],
    chooseTheme: () => undefined,
    portfolio: () =>
      portfolioTable(buildPortfolioView(account, positions, { closes, equity: bars.map(({ close }) => close) }), {
        columns,
        unicode: true,
        paint,
      }),
    chart: async (symbol: string, range = '3m', look = {}) =>
      chartText({
        ...{ symbol, range, bars, columns, rows: Math.min(30, rows - 11), unicode: true, simulated: true },
        ...{
          paint,
          cost: '204.10',
          trades: [{ at: bars[20]?.at ?? '', side: 'buy', qty: '5', price: '201' }],
        },
        ...look,
      }),
  } as unknown as ChatDriver;
  return { decide, ...openScreen(driver, { columns, rows, theme, status: shown }) };
}

/** Colors as words in angle brackets, so that a snapshot can be read. */
function readable(frame: string): string {
  return frame.replace(/\u001b\[([\d;]*)m/g, (_, code: string) => `<${code}>`);
}

describe('the chat looks as it did', () => {
  it.each<[Theme, number, number]>([
    ['dark', 80, 24],
    ['light', 100, 32],
    ['color-blind', 200, 50],
  ])('in the theme %s at %i by %i', async (theme, columns, rows) => {
    const file = (name: string) => `frames/${columns}x${rows}-${theme}-${name}.txt`;
    const chat = open(theme, columns, rows);
    await chat.shows(/Alice Adams/);
    await chat.turn('/portfolio\r', /TOTAL/);
    await chat.turn('buy 5 AAPL limit 180\r', /waiting for your phone/);
    await expect(readable(chat.frame())).toMatchFileSnapshot(file('order'));
    chat.decide();
    await chat.shows(/Bought 5 AAPL at \$179\.51/);
    await chat.turn('/chart AAPL 3m candles volume\r', /your cost/);
    await expect(readable(chat.frame())).toMatchFileSnapshot(file('chart'));
    await chat.turn('/resume\r', /Enter selects/);
    await expect(readable(chat.frame().split('\n').slice(-8).join('\n'))).toMatchFileSnapshot(file('resume'));
  });
});
