import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';

/** Alpaca's own addresses. */
const ALPACA = {
  paper: 'https://paper-api.alpaca.markets',
  live: 'https://api.alpaca.markets',
  data: 'https://data.alpaca.markets',
} as const;

export const alpacaSettings = brokerSettings.extend({
  // The one broker there was before brokers had kinds.
  kind: z
    .literal('alpaca')
    .optional()
    .transform(() => 'alpaca' as const),
  credentials: z.enum(['exchange', 'key_pair']).optional(),
  unattended: z.literal('key_pair').optional(),
  /** Base URL of the Trading API; Alpaca's own unless said otherwise. */
  trading_url: secureAddress.optional(),
  /** Base URL of the Market Data API; Alpaca's own unless said otherwise, or that of `trading_url`. */
  data_url: secureAddress.optional(),
  /** Whether fills are heard of by Alpaca's stream of `trade_updates`, `/stream` at `trading_url`, beside being asked for; they are unless this is false. */
  trade_updates: z.boolean().optional(),
});
export type AlpacaSettings = z.output<typeof alpacaSettings>;

/** Where Alpaca is, by the settings. */
export function addressesOf(
  { trading_url, data_url }: Pick<AlpacaSettings, 'trading_url' | 'data_url'>,
  environment: 'paper' | 'live',
): { readonly tradingUrl: string; readonly dataUrl: string } {
  return {
    tradingUrl: trading_url ?? ALPACA[environment],
    dataUrl: data_url ?? trading_url ?? ALPACA.data,
  };
}
