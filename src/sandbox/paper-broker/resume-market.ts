import { TradeAgentError } from '../../trading/errors.ts';
import type { Market } from '../market/market.ts';
import type { AnnouncedStore } from './corporate-actions/announced-store.ts';
import type { Ledger } from './ledger.ts';

/**
 * Has a market know again what was announced in it.
 * @throws {TradeAgentError} `usage` where accounts or announcements are of another market than this
 */
export function resumeMarket(market: Market, ledger: Ledger, announcements: AnnouncedStore): void {
  const opened = Math.max(...ledger.accounts().map(({ created_at }) => created_at));
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  if (opened > market.now()) {
    throw anotherMarket(`its accounts are of ${day(opened)}, the market’s time is ${day(market.now())}`);
  }
  for (const action of announcements.all()) {
    try {
      market.announce(action);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw anotherMarket(error.message);
    }
  }
}

function anotherMarket(why: string): TradeAgentError {
  return new TradeAgentError('usage', `this sandbox was used with another market: ${why}`, {
    hint: 'Give each market a sandbox of its own: --home FOLDER',
  });
}
