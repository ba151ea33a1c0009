import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';

/** The sandbox's prices are 15 minutes old. */
const TRADIER = { paper: 'https://sandbox.tradier.com', live: 'https://api.tradier.com' } as const;

export const tradierSettings = brokerSettings.extend({
  kind: z.literal('tradier'),
  credentials: z.enum(['exchange', 'access_token']).optional(),
  unattended: z.literal('access_token').optional(),
  /** Base URL of the Brokerage API, without `/v1` (default: Tradier's). */
  url: secureAddress.optional(),
});
export type TradierSettings = z.output<typeof tradierSettings>;

export function baseOf({ url }: Pick<TradierSettings, 'url'>, environment: 'paper' | 'live'): string {
  return `${(url ?? TRADIER[environment]).replace(/\/+$/, '')}/v1`;
}
