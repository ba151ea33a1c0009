import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckResult, checkResultSchema } from '../../../src/check/result-schema.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { MISSING_DAY, story, writeDays } from './year-of-an-account.ts';

/*
 * A year against a ledger made by hand: every number below was worked out on paper, by the arithmetic beside it, and none
 * by the code under test.
 */

let world: CliWorld;
let days: string;
beforeAll(async () => {
  days = mkdtempSync(join(tmpdir(), 'trade-agent-year-'));
  writeDays(days);
  world = await openCliWorld({
    marketData: { folder: days, start: '2025-12-12' },
    stories: { alice: story },
  });
  await admin('history-gaps', { dates: [MISSING_DAY] });
  await admin('clock', { now: '2025-12-12T21:30:00Z' });
  await world.login();
});
afterAll(async () => {
  await world.close();
  rmSync(days, { recursive: true, force: true });
});

async function admin(path: string, body: unknown): Promise<void> {
  const { ready, seed } = world.sandbox;
  const answer = await fetch(`${ready.broker}/admin/${path}`, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${seed.admin_secret}`, 'content-type': 'application/json' },
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
}

async function atBroker<T>(path: string): Promise<T> {
  const key = world.sandbox.seed.users.find(({ username }) => username === 'alice')?.broker_key;
  const answer = await fetch(`${world.sandbox.ready.broker}${path}`, {
    headers: { 'APCA-API-KEY-ID': key?.key_id ?? '', 'APCA-API-SECRET-KEY': key?.secret ?? '' },
  });
  return (await answer.json()) as T;
}

async function check(): Promise<CheckResult> {
  const { stdout, stderr } = await world.run(['check', '--output', 'json']);
  const read = checkResultSchema.safeParse(JSON.parse(stdout));
  if (!read.success) throw new Error(`${stdout}${stderr}`);
  return read.data;
}

const ledger: [day: string, what: string, cash: string][] = [
  ['2025-01-02', 'CSD 100000', '100000.00'],
  ['2025-01-06', 'FILL buy 400 DVC 50', '80000.00'], //  100,000 - 400 × 50
  ['2025-01-06', 'FILL buy 200 SPL 120', '56000.00'], //  80,000 - 200 × 120
  ['2025-01-06', 'FILL buy 500 MRG 40', '36000.00'], //  56,000 - 500 × 40
  ['2025-02-20', 'DIV 400 DVC 200', '36200.00'], //  400 × 0.50
  ['2025-03-10', 'FILL sell 300 SHT 80', '60200.00'], //  36,200 + 300 × 80, short
  ['2025-04-14', 'FILL buy 300 SHT 60', '42200.00'], //  60,200 - 300 × 60, covered
  ['2025-05-15', 'MA -500 MRG 0', '42200.00'],
  ['2025-05-15', 'MA 250 ACQ 0', '42200.00'], //  500 × 0.5 shares
  ['2025-06-02', 'CSD 10000', '52200.00'],
  ['2025-06-10', 'SPLIT -200 SPL 0', '52200.00'],
  ['2025-06-10', 'SPLIT 800 SPL 0', '52200.00'], //  200 × 4
  ['2025-07-14', 'ACATS 100 MOV 0', '52200.00'],
  ['2025-07-21', 'FILL buy 1000 RVS 2', '50200.00'], //  52,200 - 1,000 × 2
  ['2025-08-01', 'JNLC 5000', '55200.00'],
  ['2025-08-11', 'SPLIT -1000 RVS 0', '55200.00'],
  ['2025-08-11', 'SPLIT 100 RVS 0', '55200.00'], //  1,000 / 10
  ['2025-09-15', 'FILL sell 300 SPL 33', '65100.00'], //  55,200 + 300 × 33
  ['2025-10-01', 'CSW -20000', '45100.00'],
  ['2025-10-15', 'FEE -12.5', '45087.50'],
  ['2025-10-31', 'INT 37.5', '45125.00'],
  ['2025-11-03', 'FILL sell 1000 RUI 10', '55125.00'], //  45,125 + 1,000 × 10, short
  ['2025-12-01', 'DIV 400 DVC 100', '55225.00'], //  400 × 0.25
];

/** What was held on 12 December: shares, cost, worth. */
const holdings: [symbol: string, qty: string, cost: string, worth: string][] = [
  ['ACQ', '250', '20000.00', '22500.00'], //  500 MRG for 40; 250 × 90
  ['DVC', '400', '20000.00', '18400.00'], //  400 × 50; 400 × 46
  ['MOV', '100', '2500.00', '2500.00'], //  moved in at 25
  ['RUI', '-1000', '-10000.00', '-10000.00'],
  ['RVS', '100', '2000.00', '2000.00'], //  1,000 for 2; 100 × 20
  ['SPL', '500', '15000.00', '16500.00'], //  500 of 800 at 24,000 / 800 = 30; 500 × 33
];

/** Equity at 16:00 on the days on which it differs from that of the day before, and why. */
const equities: [day: string, equity: number][] = [
  ['2025-01-03', 100_000], //  the deposit of the evening before
  ['2025-02-21', 100_200], //  + 200 of dividend
  ['2025-04-01', 106_200], //  + 300 × (80 - 60), the short
  ['2025-05-15', 108_700], //  + 250 × 90 - 500 × 40, the merger
  ['2025-06-03', 118_700], //  + 10,000 deposited
  ['2025-07-15', 121_200], //  + 100 × 25 moved in
  ['2025-08-04', 126_200], //  + 5,000 journaled on Friday
  ['2025-09-02', 128_600], //  + 800 × (33 - 30)
  ['2025-10-02', 108_600], //  - 20,000 withdrawn
  ['2025-10-16', 108_587.5], //  - 12.50 of fees
  ['2025-11-03', 108_625], //  + 37.50 of interest on Friday
  ['2025-11-17', 107_025], //  - 400 × (50 - 46)
  ['2025-12-02', 107_125], //  + 100 of dividend
];

describe('the broker’s books', () => {
  it('hold what the ledger has, line by line', async () => {
    type Row = Record<
      'activity_type' | 'transaction_time' | 'date' | 'side' | 'qty' | 'symbol' | 'price' | 'net_amount',
      string
    >;
    const rows = await atBroker<Partial<Row>[]>('/v2/account/activities?direction=asc&page_size=100');
    const number = (text: string | undefined) => (text === undefined ? undefined : String(Number(text)));
    expect(
      rows.map((row) => {
        const amount = row.activity_type === 'FILL' ? number(row.price) : number(row.net_amount);
        const words = [row.activity_type, row.side, row.qty, row.symbol, amount];
        return [
          (row.transaction_time ?? row.date ?? '').slice(0, 10),
          words.filter((word) => word !== undefined).join(' '),
        ];
      }),
    ).toEqual(ledger.map(([day, what]) => [day, what]));
  });

  it('come to the ledger’s cash and positions', async () => {
    const account = await atBroker<Record<string, string>>('/v2/account');
    expect(account).toMatchObject({
      cash: ledger.at(-1)?.[2],
      long_market_value: '61900.00', //  22,500 + 18,400 + 2,500 + 2,000 + 16,500
      short_market_value: '-10000.00',
      equity: '107125.00', //  55,225 + 61,900 - 10,000
      last_equity: '107125.00',
    });
    const positions =
      await atBroker<Record<'symbol' | 'qty' | 'cost_basis' | 'market_value', string>[]>('/v2/positions');
    expect(
      positions.map(({ symbol, qty, cost_basis, market_value }) => [symbol, qty, cost_basis, market_value]),
    ).toEqual(holdings);
  });

  it('tell the equity of each day, a day that is missing left out, and flows where the equity first has them', async () => {
    const history = await atBroker<{
      timestamp: number[];
      equity: number[];
      cashflow: Record<string, number[]>;
    }>('/v2/account/portfolio/history?period=1A&timeframe=1D&cashflow_types=ALL');
    const dates = history.timestamp.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10));
    const changes = dates.flatMap((day, i) =>
      history.equity[i] === history.equity[i - 1] ? [] : [[day, history.equity[i]]],
    );
    expect(changes).toEqual(equities);
    expect(dates).not.toContain(MISSING_DAY);
    // 250 sessions in 2025, less 12 after 12 December, 2 January (before the first deposit was booked), and the missing one.
    expect(dates).toHaveLength(250 - 12 - 1 - 1);
    const told = Object.entries(history.cashflow).flatMap(([type, amounts]) =>
      amounts.flatMap((amount, i) => (amount === 0 ? [] : [`${dates[i]} ${type} ${amount}`])),
    );
    expect(told.sort()).toEqual([
      '2025-01-03 CSD 100000',
      '2025-02-21 DIV 200',
      '2025-06-03 CSD 10000',
      '2025-08-04 JNLC 5000',
      '2025-10-02 CSW -20000',
      '2025-10-16 FEE -12.5',
      '2025-11-03 INT 37.5',
      '2025-12-02 DIV 100',
    ]);
  });
});

describe('the year’s figures', () => {
  let figures: CheckResult['figures'];
  beforeAll(async () => {
    ({ figures } = await check());
  });

  it('say what is there', () => {
    expect(figures).toMatchObject({ equity: '107125.00', cash: '55225.00', day_profit: '0.00' });
    expect(Number(figures.cash_weight)).toBeCloseTo(55_225 / 107_125, 6);
    expect(figures.by_symbol.map(({ name, value }) => [name, value]).sort()).toEqual(
      holdings.map(([symbol, , , worth]) => [symbol, worth]),
    );
  });

  it('say what was made: realized, not realized, paid and charged', () => {
    expect(figures).toMatchObject({
      // SPL 300 × (33 - 30) = 900; SHT 300 × (80 - 60) = 6,000. A merger for shares realizes nothing.
      realized_fifo: '6900.00',
      realized_average_cost: '6900.00',
      realized_incomplete: [],
      dividends: '300.00', //  200 + 100
      interest: '37.50',
      fees: '-12.50',
      // ACQ 2,500, DVC -1,600, SPL 1,500.
      unrealized: '2400.00',
    });
    // Of 20,000 + 20,000 + 2,500 + 10,000 + 2,000 + 15,000 = 69,500.
    expect(Number(figures.unrealized_return)).toBeCloseTo(2400 / 69_500, 6);
    // And all of it is what there is beyond what came: 107,125 - (100,000 + 10,000 + 2,500 + 5,000 - 20,000).
    const made = [figures.realized_fifo, figures.unrealized, figures.dividends, figures.interest, figures.fees];
    expect(made.reduce((sum, part) => sum + Number(part), 0)).toBe(9625);
  });

  it('say the returns, whatever came and went', () => {
    /*
     * Between flows, each stretch's end over its beginning with the flow in it:
     *   108,700 / 100,000            to the deposit of 2 June
     *   118,700 / 118,700, 121,200 / 121,200, and
     *   128,600 / 126,200            from the journal of 1 August
     *   107,125 / 108,600            from the withdrawal of 1 October
     * 1.087 × 1.019017432646… × 0.986418047882… = 1.092627601909…
     */
    expect(Number(figures.time_weighted_return?.period)).toBeCloseTo(0.092627601909, 10);
    expect(figures.time_weighted_return?.annual).toBeNull();
    /*
     * The rate at which -100,000 on 2 January, -10,000 on 2 June, -2,500 on 14 July, -5,000 on 1 August, +20,000 on
     * 1 October and +107,125 on 12 December come to nothing: 9.8078 % a year, by bisection in a spreadsheet's way; over
     * 344 days 1.098078 ^ (344 / 365) - 1 = 9.2183 %. To the fourth digit: the broker has a flow at the end of the day
     * whose equity first has it, up to a weekend later.
     */
    expect(Number(figures.money_weighted_return?.period)).toBeCloseTo(0.092183, 4);
  });

  it('say how far it fell, and how it moved', () => {
    expect(figures.high_water_mark).toMatchObject({ value: '108625.00' });
    // Where it last stood: on Friday 14 November, whose last moment in New York is of the 15th elsewhere.
    expect(figures.high_water_mark?.at.slice(0, 10)).toBe('2025-11-15');
    expect(Number(figures.drawdown)).toBeCloseTo(1 - 107_125 / 108_625, 10);
    expect(Number(figures.worst_drawdown?.fraction)).toBeCloseTo(1 - 107_025 / 108_625, 10);
    expect(figures.worst_drawdown?.recovered_at).toBeNull();
    // 236 sessions after 3 January, less the missing one; all but eight stood still.
    const moved = [
      100_200 / 100_000,
      106_200 / 100_200,
      108_700 / 106_200,
      128_600 / 126_200,
      108_587.5 / 108_600,
      108_625 / 108_587.5,
      107_025 / 108_625,
      107_125 / 107_025,
    ].map((factor) => factor - 1);
    const returns = [...moved, ...new Array<number>(235 - moved.length).fill(0)];
    const mean = returns.reduce((sum, one) => sum + one, 0) / returns.length;
    const variance = returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (returns.length - 1);
    expect(Number(figures.volatility)).toBeCloseTo(Math.sqrt(variance * 252), 10);
  });

  it('stand on the report page', async () => {
    const file = join(world.folder, 'year.html');
    await world.run(['check', '--report', file]);
    const page = readFileSync(file, 'utf8')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    for (const figure of ['$107,125.00', '+9.26%', '$6,900.00', '$300.00', '-$12.50', '$2,400.00'])
      expect(page).toContain(figure);
  });
});

describe('the ruin', () => {
  it('of a short that rose from 10 to 200 is the gravest finding, and no figure hides it', async () => {
    await admin('clock', { now: '2025-12-15T21:30:00Z' });
    const { figures, findings } = await check();
    expect(figures).toMatchObject({
      equity: '-82875.00', //  107,125 - 1,000 × (200 - 10)
      day_profit: '-190000.00',
      money_weighted_return: null,
    });
    expect(findings.filter(({ severity }) => severity === 'critical').map(({ rule }) => rule)).toContain('ruin');
    // 1.092627601909 × -82,875 / 107,125 - 1: more than all was lost, and the return ends there.
    expect(Number(figures.time_weighted_return?.period)).toBeCloseTo(-1.845288331465, 10);
    expect(figures.time_weighted_return?.ended?.slice(0, 10)).toBe('2025-12-15');
    expect(Number(figures.drawdown)).toBeCloseTo(1 + 82_875 / 108_625, 10);
  });
});
