import type { Dec } from '../../trading/decimal.ts';
import type { ListedSymbol } from '../../trading/listed-symbols.ts';
import type { IsoDate } from '../../trading/new-york-time.ts';
import type { Sessions } from '../../trading/trading-calendar.ts';
import type { CorporateAction } from './corporate-action.ts';

/** A price at which shares changed hands, dollars a share. */
interface Traded {
  readonly price: Dec;
  /** Splits from then on are not in it yet, milliseconds since the epoch. */
  readonly since: number;
}

/** Where a market's prices come from, as they were traded. Times are milliseconds since the epoch. */
export interface Tape {
  readonly sessions: Sessions;
  symbol(symbol: string): ListedSymbol | undefined;
  symbols(): readonly ListedSymbol[];
  /** The last trade up to an instant at which the market is open, or closes; undefined: there was none yet. */
  last(symbol: string, at: number): Traded | undefined;
  /** Instants from one to another, both included, among which the highest and the lowest price are. */
  looks(symbol: string, from: number, to: number): readonly number[];
  /** Shares traded from one instant to another. */
  volume(symbol: string, from: number, to: number): number;
  /** What it makes up of a company's corporate actions, by the day they are booked. */
  actions(symbol: string, start: IsoDate, end: IsoDate): readonly CorporateAction[];
}
