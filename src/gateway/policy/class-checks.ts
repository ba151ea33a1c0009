import { dollars, shares } from '../../trading/amounts.ts';
import { assetClassOf, assetClassWords, optionOf, unitsOf } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import { securedBy } from '../../trading/option-cover.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import {
  type Facts,
  found,
  notKnown,
  type Objection,
  type OptionFacts,
  type OrderFacts,
} from './decision.ts';

/*
 * Crypto and options need the broker's permission, and an option is sold only against what it may take. The broker checks
 * the same; here it is checked before anybody is asked, including what this gateway has open.
 */

/** Alpaca's levels: 1 covered calls and cash-secured puts, 2 long options. Closing needs none. */
const levels: Readonly<Record<PositionIntent, number>> = {
  sell_to_open: 1,
  buy_to_open: 2,
  buy_to_close: 0,
  sell_to_close: 0,
};

export function classObjections(order: OrderFacts, facts: Facts): Objection[] {
  const assetClass = assetClassOf(order.symbol);
  if (assetClass === 'us_equity') return [];
  const { broker, option } = facts;
  return found<Objection>(
    broker !== null &&
      broker.class_enabled !== true && {
        reason: 'ASSET_CLASS_NOT_ENABLED',
        text: `the broker does not let this account trade ${assetClassWords[assetClass]}`,
        hint: 'Ask the broker to enable it, or trade something else.',
      },
    assetClass === 'us_option' && optionObjections(order, facts, option ?? undefined),
  );
}

function optionObjections(order: OrderFacts, facts: Facts, option: OptionFacts | undefined): Objection[] {
  const { holdings } = facts;
  if (option === undefined || holdings === null) return [notKnown('what the account holds')];
  const { intent, level } = option;
  if (intent === null) {
    const text = 'the order does not say whether it opens or closes a position';
    return [{ reason: 'POSITION_INTENT_MISMATCH', text, hint: 'Give position_intent.' }];
  }
  const needed = levels[intent];
  return found<Objection>(
    !(level >= needed) && {
      reason: 'OPTIONS_LEVEL_TOO_LOW',
      text: `the broker lets this account trade options up to level ${level}, and this takes level ${needed}`,
      hint: 'Ask the broker for a higher options level.',
      limit: String(level),
      value: String(needed),
    },
    byIntent[intent](order, facts, option),
  );
}

type Check = (order: OrderFacts, facts: Facts, option: OptionFacts) => Objection | undefined;

const byIntent: Readonly<Record<PositionIntent, Check>> = {
  buy_to_open: (order, facts) => opensOnly(order, facts, 'buy_to_close'),
  sell_to_open: (order, facts, option) => {
    const check = optionOf(order.symbol)?.right === 'call' ? isCovered : isSecured;
    return opensOnly(order, facts, 'sell_to_close') ?? check(order, facts, option);
  },
  sell_to_close: (order, { holdings, counted }) => {
    const gone = new Dec(counted.open_symbol_sells).plus(holdings?.open_elsewhere.symbol_sells ?? 0);
    return isHeld(order, new Dec(holdings?.qty ?? 0).minus(gone));
  },
  buy_to_close: (order, { holdings, counted }) =>
    isHeld(order, new Dec(holdings?.qty ?? 0).neg().minus(counted.covering?.buys ?? 0)),
};

/** Opens or adds to a position; an opposite one must be closed instead. */
function opensOnly(
  { symbol, side }: OrderFacts,
  { holdings }: Facts,
  instead: PositionIntent,
): Objection | undefined {
  const held = new Dec(holdings?.qty ?? 0);
  if (side === 'buy' ? !held.isNegative() || held.isZero() : !held.gt(0)) return undefined;
  return {
    reason: 'POSITION_INTENT_MISMATCH',
    text: `${shares(held.abs().toFixed())} ${symbol} are ${side === 'buy' ? 'sold' : 'held'} already: this would close them`,
    hint: `Use position_intent ${instead}.`,
  };
}

function isHeld({ symbol, shares: wanted }: OrderFacts, left: Dec): Objection | undefined {
  if (new Dec(wanted).lte(left)) return undefined;
  const most = Dec.max(left, 0).toFixed();
  return {
    reason: 'POSITION_NOT_HELD',
    text: `${shares(most)} ${symbol} are there to be closed, and the order is for ${shares(wanted)}`,
    hint: 'Close at most what is open.',
    limit: most,
    value: wanted,
  };
}

/** A sold call's shares are held and free. */
function isCovered(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: Facts,
  { free_shares }: OptionFacts,
): Objection | undefined {
  if (free_shares === null) return notKnown('which shares are free');
  const free = new Dec(free_shares).minus(counted.covering?.shares ?? 0);
  const needed = new Dec(contracts).times(unitsOf(symbol));
  if (needed.lte(free)) return undefined;
  const most = Dec.max(free, 0).toFixed();
  const underlying = optionOf(symbol)?.underlying ?? symbol;
  return {
    reason: 'CALL_NOT_COVERED',
    text: `the call could take ${shares(needed.toFixed())} ${underlying}, and ${shares(most)} are held and free`,
    hint: 'Sell calls on shares that are held alone: 100 for each contract.',
    limit: most,
    value: needed.toFixed(),
  };
}

/** The cash for a sold put's shares is there and free. */
function isSecured(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: Facts,
  { free_cash }: OptionFacts,
): Objection | undefined {
  if (free_cash === null) return notKnown('which cash is free');
  const free = Dec.max(new Dec(free_cash).minus(counted.covering?.cash ?? 0), 0).toFixed(2, Dec.ROUND_FLOOR);
  const needed = securedBy(symbol, contracts).toFixed(2, Dec.ROUND_UP);
  if (new Dec(needed).lte(free)) return undefined;
  return {
    reason: 'PUT_NOT_SECURED',
    text: `the put could take ${dollars(needed)}, and ${dollars(free)} of cash are free`,
    hint: 'Sell puts for which the cash is there alone: 100 × the strike for each contract.',
    limit: free,
    value: needed,
  };
}
