import type { BrokerKind } from '../broker-kind.ts';
import { connectIbkr } from './ibkr-broker.ts';
import { type IbkrSettings, ibkrSettings } from './settings.ts';
import { ibkrTraits } from './traits.ts';
import { verifyIbkrSession } from './verify-session.ts';

export const ibkr = {
  traits: ibkrTraits,
  settings: ibkrSettings,
  address: 'url',
  connect: ({ url, simulated, orders_every }, context) =>
    connectIbkr({ ...context, url, simulated, ordersEveryMs: orders_every * 1000 }),
  kept: { kinds: ['gateway_session'], verify: verifyIbkrSession },
} satisfies BrokerKind<IbkrSettings>;
