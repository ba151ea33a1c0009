import { refusalOf } from '../../approval/kinds/execution.ts';
import { percent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { waitsForOpening } from '../../trading/market-open.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { checkTerms } from '../../trading/order-terms.ts';
import { hurts } from '../../trading/price-drift.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Account, MarketClock, Quote } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { Asset } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { Caller } from '../door/caller.ts';
import { checkPrice } from './price-guard.ts';

/** All that is known when it is decided whether an approved order may go out. */
export interface PolicyInput {
  readonly caller: Pick<Caller, 'sub' | 'clientId'>;
  readonly draft: OrderDraft;
  readonly traits: BrokerTraits;
  readonly account: Account;
  readonly asset: Asset;
  readonly quote: Quote;
  readonly market: MarketClock;
  /** The date in New York of the last session that has begun (`lastSession`); undefined where none is known. */
  readonly lastSession: string | undefined;
  /** How many orders of the caller's went out since the day began in New York, and were not refused; but for this one. */
  readonly sentToday: () => Promise<number>;
}

/** One rule. Throws a {@link Refusal} or lets the order pass; it can't widen what was approved. */
export type OrderPolicy = (input: PolicyInput) => void | Promise<void>;

/** This broker takes such orders, in the form in which this one goes out. */
export const brokerTakesIt: OrderPolicy = ({ draft, traits }) => {
  const { reference_price: _, ...sent } = boundedOrder(draft);
  try {
    checkTerms(sent, traits.orders);
  } catch (error) {
    throw refusalOf(error);
  }
};

/** The broker will not trade this account now. */
export const accountMayTrade: OrderPolicy = ({ account }) => {
  if (account.trading_blocked) {
    throw new Refusal(422, 'blocked', 'the broker has blocked trading in this account', {
      hint: 'Ask the broker why.',
      members: { reason: 'ACCOUNT_BLOCKED' },
    });
  }
};

/** The symbol can be traded, and in fractions where the order has one. */
export const symbolMayBeTraded: OrderPolicy = ({ asset, draft }) => {
  if (!asset.tradable) {
    throw new Refusal(422, 'symbol_not_tradable', `${draft.symbol} can't be traded at this broker`, {
      fields: ['symbol'],
    });
  }
  const fractional =
    draft.notional !== undefined || (draft.qty !== undefined && !new Dec(draft.qty).isInteger());
  if (fractional && !asset.fractionable) {
    throw new Refusal(422, 'symbol_not_fractionable', `${draft.symbol} is traded in whole shares only`, {
      hint: 'Give a whole number of shares.',
      fields: [draft.notional === undefined ? 'qty' : 'notional'],
    });
  }
};

/** Orders that would trade at whatever price comes need an open market. */
export const marketIsOpen: OrderPolicy = ({ draft, market }) => {
  if (!waitsForOpening(draft, market)) return;
  throw new Refusal(409, 'market_closed', `the market is closed, and a ${draft.type} order needs it open`, {
    hint: `It opens at ${market.next_open}. A limit order can wait until then.`,
    members: { next_open: market.next_open },
  });
};

/** The price has not moved against the order by more than `max_slippage` since it was approved. */
export const priceHolds: OrderPolicy = ({ draft, quote, lastSession }) => {
  const check = checkPrice(draft, quote, lastSession);
  if (check.ok) return;
  if (check.reason === 'no_price') {
    throw new Refusal(409, 'price_unavailable', `there is no price for ${draft.symbol} now`, {
      hint: 'Try again when the market is open and the symbol trades.',
    });
  }
  throw new Refusal(
    409,
    'price_moved',
    `${draft.symbol} is at ${check.price}, more than ${percent(draft.max_slippage)} ${hurts[draft.side]} the approved ${draft.reference_price}`,
    {
      hint: 'Propose the order again at the current price.',
      members: {
        current_price: check.price,
        reference_price: draft.reference_price,
        max_slippage: draft.max_slippage,
      },
    },
  );
};

/** What every order is held to, in the order it is reported. */
export const builtinPolicies: readonly OrderPolicy[] = [
  brokerTakesIt,
  accountMayTrade,
  symbolMayBeTraded,
  marketIsOpen,
  priceHolds,
];

export function unknownSymbol(symbol: string): Refusal {
  return new Refusal(422, 'unknown_symbol', `the broker knows no symbol ${symbol}`, {
    hint: 'Check the ticker symbol.',
    fields: ['symbol'],
  });
}
