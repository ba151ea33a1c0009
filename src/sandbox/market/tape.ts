import type { Dec } from '../../trading/decimal.ts';
import type { ListedSymbol } from '../../trading/listed-symbols.ts';
import type { IsoDate } from '../../trading/new-york-time.ts';
import type { Sessions } from '../../trading/trading-calendar.ts';
import type { CorporateAction } from './corporate-action.ts';

interface LastTrade {
  readonly price: Dec;
  /** The price is not adjusted for splits after this time (milliseconds since the epoch). */
  readonly since: number;
}

export interface Tape {
  readonly sessions: Sessions;
  symbol(symbol: string): ListedSymbol | undefined;
  symbols(): readonly ListedSymbol[];
  /** Returns the last trade within trading hours up to an instant. Returns undefined before the first trade. */
  last(symbol: string, at: number): LastTrade | undefined;
  /** Returns the instants at which to sample the price for a bar's high and low. */
  sampleTimes(symbol: string, from: number, to: number): readonly number[];
  volume(symbol: string, from: number, to: number): number;
  actions(symbol: string, start: IsoDate, end: IsoDate): readonly CorporateAction[];
}
