import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';

const ALPACA = {
  paper: 'https://paper-api.alpaca.markets',
  live: 'https://api.alpaca.markets',
  data: 'https://data.alpaca.markets',
} as const;

export const alpacaSettings = brokerSettings.extend({
  // The default kind.
  kind: z
    .literal('alpaca')
    .optional()
    .transform(() => 'alpaca' as const),
  credentials: z.enum(['exchange', 'key_pair']).optional(),
  unattended: z.literal('key_pair').optional(),
  /** Base URL of the Trading API (default: Alpaca's). */
  trading_url: secureAddress.optional(),
  /** Base URL of the Market Data API (default: `trading_url`, else Alpaca's). */
  data_url: secureAddress.optional(),
  /** Whether to listen to the stream of `trade_updates` at `trading_url` in addition to polling (default true). */
  trade_updates: z.boolean().optional(),
});
export type AlpacaSettings = z.output<typeof alpacaSettings>;

export function addressesOf(
  { trading_url, data_url }: Pick<AlpacaSettings, 'trading_url' | 'data_url'>,
  environment: 'paper' | 'live',
): { readonly tradingUrl: string; readonly dataUrl: string } {
  return {
    tradingUrl: trading_url ?? ALPACA[environment],
    dataUrl: data_url ?? trading_url ?? ALPACA.data,
  };
}
