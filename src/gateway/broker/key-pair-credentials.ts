import { isTradeAgentError } from '../../trading/errors.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { BrokerCredentials, KeyPair } from './broker-credentials.ts';
import { keyPairOfOther, keyPairUnreadable, noKeyPair } from './key-pair-refusals.ts';
import type { KeyPairs } from './key-pairs.ts';

/**
 * The caller's own key pair. Read anew for each request, so that a new pair counts at once and a removed one no more.
 * One that the broker refuses stays kept: its own hiccup must not lose it, and only the owner has another.
 */
export function keyPairCredentials(
  pairs: Pick<KeyPairs, 'find'>,
  environment: 'paper' | 'live',
): BrokerCredentials {
  const pairOf = async (sub: string): Promise<KeyPair> => {
    const kept = await pairs.find(sub).catch((error: unknown) => {
      throw isTradeAgentError(error) ? keyPairUnreadable(error) : error;
    });
    if (kept === undefined) throw noKeyPair();
    if (kept.environment !== environment) throw keyPairOfOther(kept.environment, environment);
    return kept.pair;
  };
  return {
    credentialsFor: ({ sub }) => pairOf(sub),
    async isConnected({ sub }) {
      try {
        await pairOf(sub);
        return true;
      } catch (error) {
        if (error instanceof Refusal) return false;
        throw error;
      }
    },
    accountOf: async ({ sub }) => (await pairs.find(sub).catch(() => undefined))?.accountNumber,
    forget() {},
  };
}
