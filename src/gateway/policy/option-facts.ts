import { optionOf, unitsOf } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import { isCallOn, isPut, securedBy } from '../../trading/option-cover.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Account, Order, Position } from '../../trading/views.ts';
import type { OptionFacts } from './decision.ts';

interface AccountAtBroker {
  readonly account: Account;
  readonly positions: readonly Position[];
  readonly elsewhere: readonly Order[];
}

/** What of an account an order for an option is held to; undefined for any other order. */
export function optionFacts(
  { symbol, position_intent }: OrderDraft,
  replaces: string | undefined,
  { account, positions, elsewhere }: AccountAtBroker,
): OptionFacts | undefined {
  const option = optionOf(symbol);
  if (option === undefined) return undefined;
  const others = elsewhere.filter(({ id }) => id !== replaces);
  // An order of several legs may take shares or cash in ways that nobody here reckons with.
  const known = others.every(({ legs = [] }) => legs.length === 0);
  return {
    intent: position_intent ?? null,
    level: account.options_level ?? 0,
    free_shares: known ? sharesFree(option.underlying, positions, others) : null,
    free_cash: known ? cashFree(account.cash, positions, others) : null,
  };
}

/** Shares held, less those that calls sold may take, and those on sale. */
function sharesFree(underlying: string, positions: readonly Position[], others: readonly Order[]): string {
  const held = positions.filter(({ symbol, side }) => symbol === underlying && side === 'long');
  const called = positions.filter(({ symbol, side }) => isCallOn(symbol, underlying) && side === 'short');
  const onSale = others.filter(
    ({ symbol, side }) => side !== 'buy' && (symbol === underlying || isCallOn(symbol, underlying)),
  );
  return Dec.sum(0, ...held.map(({ qty }) => qty))
    .minus(Dec.sum(0, ...called.map(({ symbol, qty }) => new Dec(qty).abs().times(unitsOf(symbol)))))
    .minus(Dec.sum(0, ...onSale.map((order) => left(order).times(unitsOf(order.symbol)))))
    .toFixed();
}

/** Cash, less what secures puts sold, and what open purchases may cost; null where nothing bounds one of them. */
function cashFree(cash: string, positions: readonly Position[], others: readonly Order[]): string | null {
  const puts = positions.filter(({ symbol, side }) => isPut(symbol) && side === 'short');
  const secured = puts.map(({ symbol, qty }) => securedBy(symbol, new Dec(qty).abs()));
  const open = others.flatMap((order): (Dec | undefined)[] => {
    if (order.side === 'sell') return isPut(order.symbol) ? [securedBy(order.symbol, left(order))] : [];
    if (order.notional !== null) return [new Dec(order.notional)];
    const price = order.limit_price ?? order.stop_price;
    return [price === null ? undefined : left(order).times(price).times(unitsOf(order.symbol))];
  });
  if (open.includes(undefined)) return null;
  return Dec.sum(0, ...secured, ...open.map((cost) => cost ?? 0))
    .neg()
    .plus(cash)
    .toFixed(2, Dec.ROUND_FLOOR);
}

const left = ({ qty, filled_qty }: Order): Dec => new Dec(qty ?? 0).minus(filled_qty);
