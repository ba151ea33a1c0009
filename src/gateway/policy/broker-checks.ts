import { exactPercent, shares } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { waitsForOpening } from '../../trading/market-open.ts';
import { hurts } from '../../trading/price-drift.ts';
import { defined } from '../../values/defined.ts';
import { classObjections } from './class-checks.ts';
import {
  type BrokerFacts,
  type Facts,
  found,
  freeToSell,
  type MarketFacts,
  notKnown,
  type Objection,
  type OrderFacts,
} from './decision.ts';
import { checkPrice } from './price-guard.ts';

/** What broker and market require of every order, whatever the owner's rules say; in the order told. */
export function brokerObjections(order: OrderFacts, facts: Facts): Objection[] {
  const { broker, market } = facts;
  return found<Objection>(
    broker === null ? notKnown('what the broker trades') : brokersOwn(order, broker),
    classObjections(order, facts),
    exitsAreHeld(order, facts),
    market === null ? notKnown('the market') : found(marketIsOpen(order, market), priceHolds(order, market)),
  );
}

function brokersOwn(order: OrderFacts, broker: BrokerFacts): Objection[] {
  const { text = '', hint, field } = broker.objection ?? {};
  const fields = field === undefined ? undefined : [field];
  const inParts = order.qty === null || !new Dec(order.qty).isInteger();
  return found<Objection>(
    broker.objection !== null && {
      reason: 'ORDER_NOT_TAKEN_BY_BROKER',
      text,
      ...defined({ hint }),
      problem: { status: 400, code: 'invalid_order', ...defined({ fields }) },
    },
    broker.trading_blocked && {
      reason: 'ACCOUNT_BLOCKED',
      text: 'the broker has blocked trading in this account',
      hint: 'Ask the broker why.',
      problem: { status: 422, code: 'blocked' },
    },
    !broker.tradable && {
      reason: 'SYMBOL_NOT_TRADABLE',
      text: `${order.symbol} can't be traded at this broker`,
      problem: { status: 422, code: 'symbol_not_tradable', fields: ['symbol'] },
    },
    inParts &&
      !broker.fractionable && {
        reason: 'SYMBOL_NOT_FRACTIONABLE',
        text: `${order.symbol} is traded in whole shares only`,
        hint: 'Give a whole number of shares.',
        problem: {
          status: 422,
          code: 'symbol_not_fractionable',
          fields: [order.qty === null ? 'notional' : 'qty'],
        },
      },
  );
}

/** Exits without an entry may only sell what is held and not on sale already: more would be short. */
function exitsAreHeld(order: OrderFacts, { holdings, counted }: Facts): Objection | undefined {
  if (order.order_class !== 'oco') return undefined;
  if (holdings === null) return notKnown('what is held');
  const free = freeToSell(holdings, counted);
  if (new Dec(order.shares).lte(free)) return undefined;
  const limit = Dec.max(free, 0).toFixed();
  return {
    reason: 'EXITS_EXCEED_POSITION',
    text: `take profit and stop loss are for ${shares(order.shares)} ${order.symbol}, and ${shares(limit)} are held and not on sale yet`,
    hint: 'Ask for no more than that, or cancel the order that sells the rest.',
    limit,
    value: order.shares,
  };
}

function marketIsOpen({ type }: OrderFacts, { is_open, next_open }: MarketFacts): Objection | undefined {
  if (!waitsForOpening({ type }, { is_open })) return undefined;
  return {
    reason: 'MARKET_CLOSED',
    text: `the market is closed, and a ${type} order needs it open`,
    hint: `It opens at ${next_open}. A limit order can wait until then.`,
    problem: { status: 409, code: 'market_closed', members: { next_open } },
  };
}

function priceHolds(order: OrderFacts, market: MarketFacts): Objection | undefined {
  const { symbol, side, reference_price, max_slippage } = order;
  const { bid, ask, last, quoted_at, session } = market;
  const quote = { bid: bid ?? '0', ask: ask ?? '0', last: last ?? '0', at: quoted_at };
  const check = checkPrice(order, quote, session ?? undefined);
  if (check.ok) return undefined;
  if (check.reason === 'no_price') {
    return {
      reason: 'PRICE_UNAVAILABLE',
      text: `there is no price for ${symbol} now`,
      hint: 'Try again when the market is open and the symbol trades.',
      problem: { status: 409, code: 'price_unavailable' },
    };
  }
  const members = { current_price: check.price, reference_price, max_slippage };
  return {
    reason: 'PRICE_MOVED',
    text: `${symbol} is at ${check.price}, more than ${exactPercent(max_slippage)} ${hurts[side]} the approved ${reference_price}`,
    hint: 'Propose the order again at the current price.',
    problem: { status: 409, code: 'price_moved', members },
  };
}
