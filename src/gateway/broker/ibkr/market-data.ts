import { z } from 'zod';
import { Dec, formatPrice } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { type Asset, assetSchema, type Bar, barSchema, type Quote, quoteSchema } from '../../../trading/views.ts';
import { DAY_MS } from '../../../values/durations.ts';
import type { BarQuery } from '../broker.ts';
import { formatAmount } from '../json-amounts.ts';
import type { RestClient } from '../rest-client.ts';
import { requireSplitAdjustment } from '../unsupported-features.ts';
import type { IbkrOptions } from './client.ts';
import type { FindContracts, StockContract } from './contracts.ts';
import { ibkrTraits } from './traits.ts';

/** IBKR's numbers for the fields of a market data snapshot ("Available Fields"). */
const FIELDS = { last: '31', bid: '84', ask: '86', availability: '6509', priorClose: '7741' } as const;
const snapshotRow = z.object({
  conid: z.number().int(),
  /** Milliseconds since the epoch. */
  _updated: z.number().optional(),
  '31': z.string().optional(),
  '84': z.string().optional(),
  '86': z.string().optional(),
  '6509': z.string().optional(),
  '7741': z.union([z.string(), z.number()]).optional(),
});
const snapshotAnswer = z.array(snapshotRow);
type Snapshot = NonNullable<ReturnType<typeof snapshotView>>;

/** Maximum number of snapshot requests. The first may return no prices, because it "will initiate the stream". */
const SNAPSHOT_ATTEMPTS = 5;
const BETWEEN_MS = 200;
/** The prefix C marks the price of an earlier day. The prefix H marks a halted security. */
const plainPrice = /^[CH]?(\d+(?:\.\d+)?)$/;
/** Age, in milliseconds, of prices whose availability is `D` (delayed) or `Y` (delayed and frozen). */
const QUOTE_DELAY_MS = 15 * 60_000;

/** Reads `GET /iserver/marketdata/snapshot` up to {@link SNAPSHOT_ATTEMPTS} times, until every contract has a price. */
export async function readIbkrSnapshots(
  client: RestClient,
  conids: readonly number[],
  { sleep }: Pick<IbkrOptions, 'sleep'>,
): Promise<ReadonlyMap<number, Snapshot>> {
  const found = new Map<number, Snapshot>();
  if (conids.length === 0) return found;
  const query = { conids: conids.join(','), fields: Object.values(FIELDS).join(',') };
  for (let tries = 0; tries < SNAPSHOT_ATTEMPTS && found.size < conids.length; tries++) {
    if (tries > 0) await sleep(BETWEEN_MS);
    for (const row of snapshotAnswer.parse(await client('/iserver/marketdata/snapshot', { query }))) {
      const snapshot = snapshotView(row);
      if (snapshot !== undefined) found.set(row.conid, snapshot);
    }
  }
  return found;
}

/** Converts a snapshot; returns undefined if there is no last price. Any other missing price becomes zero. */
function snapshotView({ _updated: updated, ...fields }: z.output<typeof snapshotRow>) {
  const priceIn = (text: string | number = '') => plainPrice.exec(String(text))?.[1];
  const last = priceIn(fields[FIELDS.last]);
  if (last === undefined || updated === undefined) return undefined;
  const isDelayed = /^[DY]/.test(fields[FIELDS.availability] ?? '');
  return {
    last,
    bid: priceIn(fields[FIELDS.bid]) ?? '0',
    ask: priceIn(fields[FIELDS.ask]) ?? '0',
    priorClose: priceIn(fields[FIELDS.priorClose]) ?? '0',
    at: updated - (isDelayed ? QUOTE_DELAY_MS : 0),
  };
}

export function toQuote(
  symbol: string,
  { name }: StockContract,
  { last, bid, ask, priorClose, at }: Snapshot,
  simulated: boolean,
): Quote {
  return quoteSchema.parse({
    symbol,
    name,
    bid: formatPrice(bid),
    ask: formatPrice(ask),
    last: formatPrice(last),
    previous_close: formatPrice(priorClose),
    at: new Date(at).toISOString(),
    simulated,
  });
}

export function toAsset(symbol: string, { name, exchange }: StockContract): Asset {
  return assetSchema.parse({ symbol, name, exchange, tradable: true, fractionable: false, shortable: false });
}

const historyAnswer = z.object({
  data: z.array(z.object({ o: z.number(), h: z.number(), l: z.number(), c: z.number(), v: z.number(), t: z.number() })),
});

/** IBKR's name for each timeframe, and the most days per request ("A maximum of 1000 data points"). */
const bars = {
  '1Day': { bar: '1d', mostDays: 1000 },
  '1Hour': { bar: '1h', mostDays: 140 },
  '1Min': { bar: '1min', mostDays: 2 },
} as const;

/** Reads the newest `limit` bars from `GET /iserver/marketdata/history`. Returns the oldest bar first. */
export async function readIbkrBars(client: RestClient, contracts: FindContracts, query: BarQuery): Promise<Bar[]> {
  requireSplitAdjustment(ibkrTraits.label, query);
  const { symbol, timeframe, start, end, limit } = query;
  const contract = (await contracts([symbol])).get(symbol);
  if (contract === undefined) return [];
  const { bar, mostDays } = bars[timeframe];
  const days = Math.max(1, Math.ceil((end.getTime() - start.getTime()) / DAY_MS));
  const { data } = historyAnswer.parse(
    await client('/iserver/marketdata/history', {
      query: {
        conid: String(contract.conid),
        period: `${Math.min(days, mostDays)}d`,
        bar,
        outsideRth: 'false',
        // Despite its name, "startTime" is the end of the period, in UTC.
        startTime: end.toISOString().slice(0, 19).replaceAll('-', '').replace('T', '-'),
      },
    }),
  );
  const tick = (value: number) => formatPrice(new Dec(String(value)));
  return data
    .filter(({ t }) => t >= start.getTime() && t <= end.getTime())
    .sort((a, b) => a.t - b.t)
    .slice(-limit)
    .map(({ o, h, l, c, v, t }) =>
      barSchema.parse({
        at: new Date(timeframe === '1Day' ? newYorkInstant(newYorkDate(t), '00:00') : t).toISOString(),
        open: tick(o),
        high: tick(h),
        low: tick(l),
        close: tick(c),
        volume: formatAmount(v),
      }),
    );
}
