import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';

export const ibkrSettings = brokerSettings.extend({
  kind: z.literal('ibkr'),
  /** Whose account each person's is; the session is that of the Client Portal Gateway, where its owner signs in. */
  credentials: z.literal('gateway_session'),
  unattended: z.undefined().optional(),
  /** Base URL of the Client Portal Gateway, without `/v1/api`. */
  url: secureAddress.default('https://localhost:5000'),
  /** Seconds between two reads of the list of orders, which is given once in five ("Pacing Limitations"). */
  orders_every: z.number().min(0).max(60).default(5),
});
export type IbkrSettings = z.output<typeof ibkrSettings>;
