import { HttpProblem } from '../../trading/http-problem.ts';
import type { BarQuery, Broker } from './broker.ts';
import type { OptionalFeature } from './broker-traits.ts';

const featureNames: Readonly<Record<OptionalFeature, string>> = {
  bars: 'price history',
  activities: 'account activity',
  portfolioHistory: 'past account values',
  news: 'news',
  corporateActions: 'corporate actions',
  watchlist: 'a watchlist',
  assets: 'a list of tradable assets',
};

interface FeatureMethods {
  bars: 'bars';
  activities: 'activities';
  portfolioHistory: 'portfolioHistory';
  news: 'news';
  corporateActions: 'corporateActions';
  watchlist: 'watchlist' | 'setWatchlist';
  assets: 'assets';
}

export function unsupportedFeatureProblem(label: string, what: OptionalFeature): HttpProblem {
  return new HttpProblem(501, 'broker_lacks', `${label} has no API for ${featureNames[what]}`, {
    hint: 'See docs/guide/BROKERS.md for what each broker supports.',
    members: { lacks: what },
  });
}

/** Requires that bars are adjusted for splits only. @throws {HttpProblem} 501 `broker_lacks` */
export function requireSplitAdjustment(label: string, { adjustment = 'split' }: BarQuery): void {
  if (adjustment === 'split') return;
  throw new HttpProblem(501, 'broker_lacks', `${label} only adjusts past prices for splits, not ${adjustment}`, {
    hint: 'Request adjustment "split".',
    members: { lacks: 'bars' },
  });
}

/** Creates the methods for the features that the broker lacks. The methods throw {@link unsupportedFeatureProblem}. */
export function createUnsupportedMethods<L extends OptionalFeature>(
  label: string,
  lacks: readonly L[],
): Pick<Broker, FeatureMethods[L]> {
  const methods = lacks.flatMap((what) => {
    const refuse = async () => {
      throw unsupportedFeatureProblem(label, what);
    };
    const names: string[] = what === 'watchlist' ? ['watchlist', 'setWatchlist'] : [what];
    return names.map((name) => [name, refuse]);
  });
  return Object.fromEntries(methods) as Pick<Broker, FeatureMethods[L]>;
}
