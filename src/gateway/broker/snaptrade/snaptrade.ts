import type { BrokerKind } from '../broker-kind.ts';
import { type SnaptradeSettings, snaptradeSettings } from './settings.ts';
import { connectSnaptrade } from './snaptrade-broker.ts';
import { snaptradeTraits } from './traits.ts';
import { verifySnaptradeUser } from './verify-user.ts';

export const snaptrade = {
  traits: snaptradeTraits,
  settings: snaptradeSettings,
  address: 'url',
  connect: ({ url, simulated }, context) => connectSnaptrade({ ...context, url, simulated }),
  kept: { kinds: ['snaptrade_user', 'snaptrade_personal'], verify: verifySnaptradeUser },
} satisfies BrokerKind<SnaptradeSettings>;
