import { type AssetClass, contractMultiplier, symbolAssetClass } from './asset-class.ts';
import { Dec } from './decimal.ts';
import type { Environment, OrderDraft } from './order.ts';
import { boundedOrder } from './worst-case.ts';

/*
 * The fees that brokers charge for an order. Each figure is the highest of recent years instead of today's, because
 * fees change several times a year and an approval must bound the order's cost. Raising a figure makes the gateway
 * refuse orders that were approved with the lower one.
 */

/** One fee, in dollars. */
interface FeeRow {
  readonly name: string;
  readonly sides: 'sell' | 'buy and sell';
  /** Dollars for each share, each contract, or each dollar of the trade's value. */
  readonly rate: string;
  readonly per: 'share' | 'contract' | 'dollar';
  /** Minimum fee, in dollars, for each day on which the order fills. */
  readonly minimum?: string;
  /** Maximum fee, as a fraction of the trade's value. */
  readonly maximumOfValue?: string;
  /** Whether the fee is rounded up to the cent on each day on which the order fills, or once. */
  readonly rounded: 'daily' | 'once';
}

/** The fees of one asset class. */
interface ClassFees {
  readonly rows: readonly FeeRow[];
  /** The fraction of the coins bought that the broker keeps. A purchase of coins then costs nothing beyond its price. */
  readonly coins?: string;
}

/** A broker's fees. If an asset class is missing, its fees are unknown, which does not mean that there are none. */
export type FeeSchedule = Readonly<Record<Environment, Readonly<Partial<Record<AssetClass, ClassFees>>>>>;

const daily = { rounded: 'daily' } as const;

/**
 * Section 31 fee: $27.80 per million dollars sold, the highest since 2007 ($0 from 2025-05-14, $20.60 from 2026-04-04).
 * SEC, "Fee Rate Advisory"; docs.alpaca.markets/docs/regulatory-fees, read 2026-12-03.
 */
const sec: FeeRow = { name: 'SEC fee', sides: 'sell', rate: '0.0000278', per: 'dollar', ...daily };

/**
 * Trading Activity Fee since 2026-01-01. The cap of $9.79 is left out, because it is per trade and an order can fill in
 * many trades. FINRA By-Laws, Schedule A, section 1, and 89 FR 93709 (SR-FINRA-2024-019), read 2026-12-03.
 */
const taf: FeeRow = { name: 'FINRA trading activity fee', sides: 'sell', rate: '0.000195', per: 'share', ...daily };
const optionTaf: FeeRow = { ...taf, rate: '0.00329', per: 'contract' };

/**
 * Consolidated Audit Trail: $0.000072 per share in November 2024 ($0.000003 now). An option contract counts as 100
 * shares. interactivebrokers.co.uk/en/pricing/commissions-stocks.php, read 2026-12-03.
 */
const cat: FeeRow = { name: 'CAT fee', sides: 'buy and sell', rate: '0.000072', per: 'share', ...daily };
const optionCat: FeeRow = { ...cat, rate: '0.0072', per: 'contract' };

/** Options Regulatory Fee of all exchanges in 2019. ibkr.info/article/1184, read 2026-12-03 ($0.02815 now). */
const orf: FeeRow = {
  name: 'options regulatory fee',
  sides: 'buy and sell',
  rate: '0.0378',
  per: 'contract',
  ...daily,
};

/**
 * Clearing fee of the Options Clearing Corporation: $0.055 until 2021, $0.02 in Alpaca's list. The fee's cap is left
 * out, because it is per trade.
 */
const occ: FeeRow = { name: 'OCC clearing fee', sides: 'buy and sell', rate: '0.055', per: 'contract', ...daily };

/**
 * Alpaca, "Crypto Fees": the first tier's taker fee of 0.25%, charged in the received asset: coins for a purchase, the
 * quote currency for a sale. docs.alpaca.markets/docs/crypto-fees, read 2026-12-03.
 */
const alpacaCrypto: ClassFees = {
  rows: [{ name: 'crypto fee', sides: 'sell', rate: '0.0025', per: 'dollar', rounded: 'once' }],
  coins: '0.0025',
};

/**
 * Alpaca charges no commission for shares and options. It adds up regulatory fees and rounds them up daily
 * (docs.alpaca.markets/docs/regulatory-fees), and paper accounts pay none (docs.alpaca.markets/docs/paper-trading).
 * Both read 2026-12-03.
 */
const alpaca: FeeSchedule = {
  live: {
    us_equity: { rows: [sec, taf, cat] },
    us_option: { rows: [sec, optionTaf, optionCat, orf, occ] },
    crypto: alpacaCrypto,
  },
  paper: { us_equity: { rows: [] }, us_option: { rows: [] }, crypto: alpacaCrypto },
};

/**
 * IBKR Pro, US shares: $0.005 a share, at least $1, at most 1% of the trade's value (the fixed plan), and the tiered
 * plan's clearing fee and exchange fee, whose highest rate is the access fee of Regulation NMS, rule 610(c). The sum
 * therefore bounds both plans. An order that stays open overnight pays the minimum again. Paper accounts pay the same.
 * interactivebrokers.co.uk/en/pricing/commissions-stocks.php and its notes, read 2026-12-03.
 */
const ibkrShares: ClassFees = {
  rows: [
    {
      name: 'commission',
      sides: 'buy and sell',
      rate: '0.005',
      per: 'share',
      minimum: '1',
      maximumOfValue: '0.01',
      ...daily,
    },
    { name: 'exchange and clearing fees', sides: 'buy and sell', rate: '0.0032', per: 'share', ...daily },
    sec,
    taf,
    cat,
  ],
};

/**
 * The known fee schedules. Other brokers' fees can't be bounded: SnapTrade and MCP servers can connect to any broker,
 * and Tradier's commissions depend on the plan and the partner.
 */
export const feeSchedules = {
  alpaca,
  ibkr: { paper: { us_equity: ibkrShares }, live: { us_equity: ibkrShares } },
} as const satisfies Readonly<Record<string, FeeSchedule>>;

/**
 * Maximum number of days on which a good-till-canceled order can fill. Brokers cancel such orders: Alpaca after 90
 * days, Interactive Brokers at the end of the next quarter, 184 days at most.
 */
const MAX_OPEN_DAYS = 184;

type Fees = Pick<OrderDraft, 'max_fees' | 'coin_fee'>;

/**
 * Returns the maximum fees of an order's own fills. Leaves out `max_fees` if the fees are unknown, or if no price
 * bounds them.
 *
 * The fees of a sale grow with its price, but less than its proceeds do. For a sale, `max_fees` are the fees at the
 * worst price, so that the proceeds after fees are never below the worst case.
 */
export function maxFees(draft: OrderDraft, schedule: FeeSchedule | undefined): Fees {
  const fees = schedule?.[draft.environment][symbolAssetClass(draft.symbol)];
  if (fees === undefined) return {};
  const { rows, coins } = fees;
  const coinFee = coins === undefined || draft.side === 'sell' ? {} : { coin_fee: coins };
  const charged = rows.filter(({ sides }) => sides === 'buy and sell' || draft.side === 'sell');
  const { max_fees: _, ...terms } = draft;
  const { symbol, side, qty = '0', ...bounded } = boundedOrder(terms);
  const price = bounded.limit_price ?? (bounded.order_class === 'oco' ? bounded.stop_loss_limit_price : undefined);
  const value = price === undefined ? undefined : new Dec(qty).times(price).times(contractMultiplier(symbol));
  const days = bounded.time_in_force === 'gtc' ? Math.min(MAX_OPEN_DAYS, new Dec(qty).ceil().toNumber()) : 1;
  const total = charged.reduce<Dec | undefined>((sum, row) => {
    const one = value === undefined && row.per === 'dollar' ? undefined : rowDollars(row, { side, qty, value, days });
    return one === undefined ? undefined : sum?.plus(one);
  }, new Dec(0));
  return total === undefined ? coinFee : { max_fees: total.toFixed(2), ...coinFee };
}

interface Trade {
  readonly side: 'buy' | 'sell';
  /** Shares, contracts or coins. */
  readonly qty: string;
  /** Dollars at the worst price; undefined if no price bounds it. */
  readonly value: Dec | undefined;
  /** Days on which the order can fill. */
  readonly days: number;
}

/**
 * Returns the maximum of one fee, in dollars. The order can fill in parts on `days` days. The parts' minimum fees add
 * up to at most `days` minimums, and rounding up adds less than a cent per part.
 */
function rowDollars({ rate, per, minimum = '0', maximumOfValue, rounded }: FeeRow, trade: Trade): Dec {
  const { side, qty, value = new Dec(0), days } = trade;
  // Adds a cent, because the fee of a sale at a slightly higher price may round up to the next cent.
  const dollars = side === 'sell' ? value.plus('0.01') : value;
  const exact = new Dec(rate).times(per === 'dollar' ? dollars : qty);
  const least = days === 1 ? Dec.max(exact, minimum) : exact.plus(new Dec(minimum).times(days));
  const most =
    maximumOfValue === undefined || trade.value === undefined ? least : Dec.min(least, dollars.times(maximumOfValue));
  return most
    .toDecimalPlaces(2, Dec.ROUND_UP)
    .plus(rounded === 'daily' && !most.isZero() ? new Dec(days - 1).times('0.01') : 0);
}
