import type { BrokerKind } from '../broker-kind.ts';
import { baseOf, type TradierSettings, tradierSettings } from './settings.ts';
import { connectTradier } from './tradier-broker.ts';
import { tradierTraits } from './traits.ts';
import { verifyTradierToken } from './verify-token.ts';

export const tradier = {
  traits: tradierTraits,
  settings: tradierSettings,
  address: 'url',
  connect: (settings, context) =>
    connectTradier({
      ...context,
      base: baseOf(settings, context.environment),
      simulated: settings.simulated,
    }),
  kept: { kinds: ['access_token'], verify: verifyTradierToken },
} satisfies BrokerKind<TradierSettings>;
