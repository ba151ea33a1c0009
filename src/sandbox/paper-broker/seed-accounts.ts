import type { Market } from '../market/market.ts';
import { addDays, newYorkDate, newYorkInstant } from '../market/new-york-time.ts';
import { bookedAt, entryOf } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { stableUuid } from './tradable-asset.ts';

interface Story {
  number: string;
  /** Dollars, and how many days ago. */
  deposits: { amount: string; daysAgo: number }[];
  /** Shares bought at the simulated price of the day. */
  purchases: { symbol: string; qty: string; daysAgo: number }[];
}

const stories: Record<string, Story> = {
  alice: {
    number: 'PA3ALICE01',
    deposits: [
      { amount: '60000', daysAgo: 120 },
      { amount: '40000', daysAgo: 75 },
    ],
    purchases: [
      { symbol: 'AAPL', qty: '40', daysAgo: 118 },
      { symbol: 'MSFT', qty: '25', daysAgo: 110 },
      { symbol: 'NVDA', qty: '60', daysAgo: 74 },
      { symbol: 'JPM', qty: '20', daysAgo: 60 },
      { symbol: 'KO', qty: '75', daysAgo: 31 },
    ],
  },
  bob: {
    number: 'PA3BOB0002',
    deposits: [{ amount: '10000', daysAgo: 90 }],
    purchases: [
      { symbol: 'TSLA', qty: '8', daysAgo: 80 },
      { symbol: 'AMD', qty: '12', daysAgo: 45 },
    ],
  },
};

/** Opens a user's account with its history, unless it is there already. Call it inside a transaction. */
export function seedAccount(username: string, ledger: Ledger, market: Market, now: number): void {
  if (ledger.accountOf(username) !== undefined) return;
  const story = stories[username] ?? {
    number: `PA3${stableUuid(`number:${username}`).slice(0, 7).toUpperCase()}`,
    deposits: [{ amount: '100000', daysAgo: 1 }],
    purchases: [],
  };
  const dateOf = (daysAgo: number) => addDays(newYorkDate(now), -daysAgo);
  const id = stableUuid(`account:${username}`);
  ledger.openAccount({
    id,
    number: story.number,
    username,
    created_at: Math.min(...story.deposits.map(({ daysAgo }) => bookedAt(dateOf(daysAgo)))),
  });
  for (const { amount, daysAgo } of story.deposits) {
    ledger.enter(entryOf({ account_id: id, type: 'CSD', date: dateOf(daysAgo), amount }));
  }
  for (const { symbol, qty, daysAgo } of story.purchases) {
    const bought = newYorkInstant(dateOf(daysAgo), '11:00');
    const price = market.quote(symbol, bought)?.ask;
    if (price === undefined) continue; // a market made of fewer symbols
    ledger.book({ account_id: id, order_id: null, symbol, side: 'buy', qty, price, at: bought });
  }
}
