import type { BrokerKind } from '../broker-kind.ts';
import { connectAlpaca } from './alpaca-broker.ts';
import { type AlpacaSettings, addressesOf, alpacaSettings } from './settings.ts';
import { alpacaTraits } from './traits.ts';
import { verifyAlpacaKeyPair } from './verify-keys.ts';

export const alpaca = {
  traits: alpacaTraits,
  settings: alpacaSettings,
  connect: (settings, context) =>
    connectAlpaca({
      ...context,
      ...addressesOf(settings, context.environment),
      simulated: settings.simulated,
      tradeUpdates: settings.trade_updates !== false,
    }),
  kept: { kinds: ['key_pair'], verify: verifyAlpacaKeyPair },
} satisfies BrokerKind<AlpacaSettings>;
