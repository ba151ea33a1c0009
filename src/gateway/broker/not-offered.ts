import { Refusal } from '../../trading/refusal.ts';
import type { BarQuery, Broker } from './broker.ts';
import type { Lackable } from './broker-traits.ts';

/** What each is called where somebody asked for it. */
const words: Readonly<Record<Lackable, string>> = {
  bars: 'price history',
  activities: 'what happened in the account',
  portfolioHistory: 'what the account was worth in the past',
  news: 'news',
  corporateActions: 'corporate actions',
  watchlist: 'a watchlist',
  assets: 'a list of all that is traded',
};

/** The methods of a `Broker` that ask for what one may lack. */
interface Asking {
  bars: 'bars';
  activities: 'activities';
  portfolioHistory: 'portfolioHistory';
  news: 'news';
  corporateActions: 'corporateActions';
  watchlist: 'watchlist' | 'setWatchlist';
  assets: 'assets';
}

/** The broker has no API for it: 501 `broker_lacks`. Nothing is asked, and nothing made up. */
export function brokerLacks(label: string, what: Lackable): Refusal {
  return new Refusal(501, 'broker_lacks', `${label} does not tell ${words[what]} to programs`, {
    hint: 'docs/guide/BROKERS.md says what each broker has.',
    members: { lacks: what },
  });
}

/**
 * Of prices of the past, those that are adjusted by splits and by nothing else.
 * @throws {Refusal} 501 `broker_lacks` for others
 */
export function requireBySplits(label: string, { adjustment = 'split' }: BarQuery): void {
  if (adjustment === 'split') return;
  throw new Refusal(
    501,
    'broker_lacks',
    `${label} tells the prices of the past by splits alone, not ${adjustment}`,
    {
      hint: 'Ask for adjustment "split".',
      members: { lacks: 'bars' },
    },
  );
}

/** The methods for what a broker lacks, by its traits: each refuses. */
export function notOffered<L extends Lackable>(label: string, lacks: readonly L[]): Pick<Broker, Asking[L]> {
  const methods = lacks.flatMap((what) => {
    const refuse = async () => {
      throw brokerLacks(label, what);
    };
    const names: string[] = what === 'watchlist' ? ['watchlist', 'setWatchlist'] : [what];
    return names.map((name) => [name, refuse]);
  });
  return Object.fromEntries(methods) as Pick<Broker, Asking[L]>;
}
