import { dollars, shares } from '../../trading/amounts.ts';
import { assetClassOf, assetClassWords, optionOf, unitsOf } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import { securedBy } from '../../trading/option-cover.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import type { BrokerFacts, Facts, Objection, OptionFacts, OrderFacts } from './decision.ts';

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
  return [
    ...(broker === null ? [] : enabled(assetClassWords[assetClass], broker)),
    ...(assetClass === 'us_option' ? optionObjections(order, facts, option ?? undefined) : []),
  ];
}

function enabled(what: string, { class_enabled }: BrokerFacts): Objection[] {
  if (class_enabled === true) return [];
  return [
    {
      reason: 'ASSET_CLASS_NOT_ENABLED',
      text: `the broker does not let this account trade ${what}`,
      hint: 'Ask the broker to enable it, or trade something else.',
    },
  ];
}

function optionObjections(order: OrderFacts, facts: Facts, option: OptionFacts | undefined): Objection[] {
  const { holdings } = facts;
  if (option === undefined || holdings === null) return [notKnown('what the account holds')];
  const { intent, level } = option;
  if (intent === null) {
    return [
      {
        reason: 'POSITION_INTENT_MISMATCH',
        text: 'the order does not say whether it opens or closes a position',
        hint: 'Give position_intent.',
      },
    ];
  }
  const needed = levels[intent];
  return [
    ...(level >= needed
      ? []
      : [
          {
            reason: 'OPTIONS_LEVEL_TOO_LOW' as const,
            text: `the broker lets this account trade options up to level ${level}, and this takes level ${needed}`,
            hint: 'Ask the broker for a higher options level.',
            limit: String(level),
            value: String(needed),
          },
        ]),
    ...byIntent[intent](order, facts, option),
  ];
}

type Check = (order: OrderFacts, facts: Facts, option: OptionFacts) => Objection[];

const byIntent: Readonly<Record<PositionIntent, Check>> = {
  buy_to_open: (order, facts) => opensOnly(order, facts, 'buy_to_close'),
  sell_to_open: (order, facts, option) => {
    const mismatch = opensOnly(order, facts, 'sell_to_close');
    if (mismatch.length > 0) return mismatch;
    return optionOf(order.symbol)?.right === 'call'
      ? isCovered(order, facts, option)
      : isSecured(order, facts, option);
  },
  sell_to_close: (order, { holdings, counted }) => {
    const gone = new Dec(counted.open_symbol_sells).plus(holdings?.open_elsewhere.symbol_sells ?? 0);
    return isHeld(order, new Dec(holdings?.qty ?? 0).minus(gone));
  },
  buy_to_close: (order, { holdings, counted }) =>
    isHeld(order, new Dec(holdings?.qty ?? 0).neg().minus(counted.covering?.buys ?? 0)),
};

/** Opens or adds to a position; an opposite one must be closed instead. */
function opensOnly({ symbol, side }: OrderFacts, { holdings }: Facts, instead: PositionIntent): Objection[] {
  const held = new Dec(holdings?.qty ?? 0);
  if (side === 'buy' ? !held.isNegative() || held.isZero() : !held.gt(0)) return [];
  return [
    {
      reason: 'POSITION_INTENT_MISMATCH',
      text: `${shares(held.abs().toFixed())} ${symbol} are ${side === 'buy' ? 'sold' : 'held'} already: this would close them`,
      hint: `Use position_intent ${instead}.`,
    },
  ];
}

function isHeld({ symbol, shares: wanted }: OrderFacts, left: Dec): Objection[] {
  if (new Dec(wanted).lte(left)) return [];
  const most = Dec.max(left, 0).toFixed();
  return [
    {
      reason: 'POSITION_NOT_HELD',
      text: `${shares(most)} ${symbol} are there to be closed, and the order is for ${shares(wanted)}`,
      hint: 'Close at most what is open.',
      limit: most,
      value: wanted,
    },
  ];
}

/** A sold call's shares are held and free. */
function isCovered(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: Facts,
  { free_shares }: OptionFacts,
): Objection[] {
  if (free_shares === null) return [notKnown('which shares are free')];
  const free = new Dec(free_shares).minus(counted.covering?.shares ?? 0);
  const needed = new Dec(contracts).times(unitsOf(symbol));
  if (needed.lte(free)) return [];
  const most = Dec.max(free, 0).toFixed();
  const underlying = optionOf(symbol)?.underlying ?? symbol;
  return [
    {
      reason: 'CALL_NOT_COVERED',
      text: `the call could take ${shares(needed.toFixed())} ${underlying}, and ${shares(most)} are held and free`,
      hint: 'Sell calls on shares that are held alone: 100 for each contract.',
      limit: most,
      value: needed.toFixed(),
    },
  ];
}

/** The cash for a sold put's shares is there and free. */
function isSecured(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: Facts,
  { free_cash }: OptionFacts,
): Objection[] {
  if (free_cash === null) return [notKnown('which cash is free')];
  const free = Dec.max(new Dec(free_cash).minus(counted.covering?.cash ?? 0), 0).toFixed(2, Dec.ROUND_FLOOR);
  const needed = securedBy(symbol, contracts).toFixed(2, Dec.ROUND_UP);
  if (new Dec(needed).lte(free)) return [];
  return [
    {
      reason: 'PUT_NOT_SECURED',
      text: `the put could take ${dollars(needed)}, and ${dollars(free)} of cash are free`,
      hint: 'Sell puts for which the cash is there alone: 100 × the strike for each contract.',
      limit: free,
      value: needed,
    },
  ];
}

function notKnown(what: string): Objection {
  return { reason: 'FACT_UNAVAILABLE', text: `nobody could tell ${what}`, hint: 'Try again in a moment.' };
}
