import { Refusal } from '../../trading/refusal.ts';
import type { BarQuery, Broker } from './broker.ts';
import type { Lackable } from './broker-traits.ts';

const words: Readonly<Record<Lackable, string>> = {
  bars: 'price history',
  activities: 'what happened in the account',
  portfolioHistory: 'what the account was worth in the past',
  news: 'news',
  corporateActions: 'corporate actions',
  watchlist: 'a watchlist',
  assets: 'a list of all that is traded',
};

interface Asking {
  bars: 'bars';
  activities: 'activities';
  portfolioHistory: 'portfolioHistory';
  news: 'news';
  corporateActions: 'corporateActions';
  watchlist: 'watchlist' | 'setWatchlist';
  assets: 'assets';
}

/** 501 `broker_lacks`: the broker has no API for it. */
export function brokerLacks(label: string, what: Lackable): Refusal {
  return new Refusal(501, 'broker_lacks', `${label} does not tell ${words[what]} to programs`, {
    hint: 'docs/guide/BROKERS.md says what each broker has.',
    members: { lacks: what },
  });
}

/** @throws {Refusal} 501 `broker_lacks` for any other adjustment */
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

/** A method that refuses, for each thing that the broker lacks. */
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
