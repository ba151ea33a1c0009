import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';

export const snaptradeSettings = brokerSettings.extend({
  kind: z.literal('snaptrade'),
  // No token of a user's is given out by SnapTrade: requests are signed by the client's key.
  credentials: z.enum(['snaptrade_user', 'snaptrade_personal']),
  unattended: z.undefined().optional(),
  /** Base URL of the API; SnapTrade's own unless said otherwise. */
  url: secureAddress.default('https://api.snaptrade.com'),
});
export type SnaptradeSettings = z.output<typeof snaptradeSettings>;
