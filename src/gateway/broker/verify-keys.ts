import { TradeAgentError } from '../../trading/errors.ts';
import { type KeyPair, keyPairSchema } from './broker-credentials.ts';
import { type BrokerSettings, brokerOf } from './brokers.ts';
import type { VerifiedAccount, VerifyOptions } from './verified-account.ts';

const TIMEOUT_MS = 10_000;

/**
 * Asks the broker what account a key pair opens, by a read that changes nothing. No part of the pair is in any error.
 * @throws {TradeAgentError} `usage` for what can't be a pair of this broker's, `broker_rejected` with `details.reason`
 *   `wrong_pair` or `no_account`, `broker_unreachable`
 */
export async function verifyKeyPair(
  settings: BrokerSettings,
  pair: KeyPair,
  { environment, fetch, timeoutMs = TIMEOUT_MS }: VerifyOptions,
): Promise<VerifiedAccount> {
  const kind = brokerOf(settings);
  if (kind.verifyKeyPair === undefined) {
    throw new TradeAgentError('usage', `${kind.traits.label} accounts are not opened by key pairs`, {
      hint: 'Set "broker.credentials: exchange" in gateway.yaml.',
    });
  }
  const given = keyPairSchema.safeParse(pair);
  if (!given.success) {
    const [issue] = given.error.issues;
    const what = issue?.path[0] === 'keyId' ? 'the key id' : 'the secret';
    throw new TradeAgentError('usage', `${what} ${issue?.message ?? 'is missing'}`, {
      hint: `Copy both from ${kind.traits.label} as they are shown there.`,
    });
  }
  return await kind.verifyKeyPair(settings, given.data, { environment, fetch, timeoutMs });
}
