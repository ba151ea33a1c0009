import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { Broker } from '../../../../src/gateway/broker/broker.ts';

/** An account as the gateway opens it, for a test that has its broker at hand. */
export function openedAt(broker: Broker, changes: Partial<OpenAccount> = {}): OpenAccount {
  const at = { name: 'broker', label: 'Alpaca', isUnattended: false };
  return Object.assign(broker, { traits: alpacaTraits, at, ...changes });
}
