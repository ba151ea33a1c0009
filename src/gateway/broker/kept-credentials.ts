import { isTradeAgentError } from '../../errors/errors.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import { type KeptCredentials, type KeptKind, keptSchema } from './kept-kinds.ts';
import { keptOfOther, keptUnreadable, nothingKept } from './kept-refusals.ts';
import type { KeyPairs } from './key-pairs.ts';

/**
 * Read for each request, so that changes count at once. Kept when the broker refuses them: a hiccup must not lose them.
 */
export function keptCredentials(
  pairs: Pick<KeyPairs, 'find'>,
  kind: KeptKind,
  environment: 'paper' | 'live',
): BrokerCredentials {
  const schema = keptSchema(kind);
  const keptOf = async (sub: string): Promise<KeptCredentials> => {
    const kept = await pairs.find(sub).catch((error: unknown) => {
      throw isTradeAgentError(error) ? keptUnreadable(kind, error) : error;
    });
    const found = schema.safeParse(kept?.pair);
    if (kept === undefined || !found.success) throw nothingKept(kind);
    if (kept.environment !== environment) throw keptOfOther(kind, kept.environment, environment);
    return found.data;
  };
  return {
    credentialsFor: ({ sub }) => keptOf(sub),
    async isConnected({ sub }) {
      try {
        await keptOf(sub);
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
