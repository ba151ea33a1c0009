import { Dec, price } from '../../trading/decimal.ts';
import type { ListedSymbol } from '../../trading/listed-symbols.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import { type Adjustment, type Factor, factorOf } from './adjustment.ts';
import type { Announced } from './announced.ts';
import { type CorporateAction, effectiveAt } from './corporate-action.ts';
import { tradingTime } from './market-times.ts';
import type { Tape } from './tape.ts';

export type HeldPrices = Map<string, { readonly price: string; readonly since: number }>;

interface MarketPrices {
  onTape(symbol: string): ListedSymbol | undefined;
  /** The last trade's price, in shares as counted at `asOf`. */
  lastPrice(symbol: string, at: number, asOf?: number): string | undefined;
  factor(symbol: string, action: CorporateAction, asked: readonly Adjustment[]): Factor | undefined;
}

export function marketPrices(tape: Tape, actions: Announced, held: HeldPrices): MarketPrices {
  const onTape: MarketPrices['onTape'] = (symbol) => {
    const known = tape.symbol(symbol);
    if (known !== undefined) return known;
    const before = actions.before(symbol);
    return before === undefined ? undefined : onTape(before.symbol);
  };

  const lastPrice: MarketPrices['lastPrice'] = (symbol, at, asOf = at) => {
    const hold = held.get(symbol);
    if (hold !== undefined && at >= hold.since) return hold.price;
    const until = (actions.endOf(symbol) ?? Number.POSITIVE_INFINITY) - 1;
    const when = tradingTime(Math.min(at, until), tape.sessions);
    const traded = tape.last(onTape(symbol)?.symbol ?? symbol, when);
    if (traded === undefined) return undefined;
    const [after, upTo] = [traded.since, Math.min(asOf, until)];
    const spunOff = actions.all
      .filter((action) => action.kind === 'spin_off' && action.source_symbol === symbol)
      .filter((action) => effectiveAt(action) > after && effectiveAt(action) <= upTo)
      .map((action) => factor(symbol, action, ['spin-off'])?.price ?? new Dec(1));
    return price(
      spunOff.reduce(
        (product, one) => product.times(one),
        traded.price.times(actions.splitFactor(symbol, after, upTo)),
      ),
    );
  };

  const factor: MarketPrices['factor'] = (symbol, action, asked) => {
    const at = effectiveAt(action);
    const before = lastPrice(symbol, at - 1);
    const worth = (other: string) => {
      const begins = lastPrice(other, tape.sessions.from(newYorkDate(at)).open);
      return begins === undefined ? undefined : new Dec(begins);
    };
    return factorOf(action, asked, before === undefined ? undefined : new Dec(before), worth);
  };

  return { onTape, lastPrice, factor };
}
