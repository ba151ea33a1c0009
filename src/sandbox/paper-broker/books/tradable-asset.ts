import { createHash } from 'node:crypto';
import { Dec } from '../../../trading/decimal.ts';
import type { ListedSymbol } from '../../../trading/listed-symbols.ts';
import type { CryptoPair } from '../../instruments/crypto-pairs.ts';
import { hasOptions } from '../../instruments/option-contracts.ts';

/** Derives a stable UUID from a name, so that IDs survive a restart without being stored. */
export function stableUuid(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6); // version 8: custom (RFC 9562, 5.8)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export const assetId = (symbol: string): string => stableUuid(`asset:${symbol}`);

/** Returns whether fractional shares can be traded: at prices from $1 to $10,000 on the major exchanges. */
export function isFractionable(asset: ListedSymbol): boolean {
  const price = new Dec(asset.snapshotPrice);
  return asset.exchange !== 'AMEX' && price.gte(1) && price.lte(10_000);
}

export const isShortable = isFractionable;

export function assetJson(asset: ListedSymbol) {
  return {
    id: assetId(asset.symbol),
    class: 'us_equity',
    exchange: asset.exchange,
    symbol: asset.symbol,
    name: asset.name,
    status: 'active',
    tradable: true,
    marginable: true,
    shortable: isShortable(asset),
    easy_to_borrow: isShortable(asset),
    borrow_status: isShortable(asset) ? 'easy_to_borrow' : 'hard_to_borrow',
    margin_requirement_long: '30',
    margin_requirement_short: '30',
    fractionable: isFractionable(asset),
    attributes: [
      ...(isFractionable(asset) ? ['fractional_eh_enabled'] : []),
      ...(hasOptions(asset) ? ['has_options'] : []),
    ],
  };
}

/** Returns a crypto pair as an asset. Alpaca reports the exchange `CRYPTO`, which its API contract does not list. */
export function cryptoAssetJson(pair: CryptoPair) {
  return {
    id: assetId(pair.symbol),
    class: 'crypto',
    exchange: 'OTC',
    symbol: pair.symbol,
    name: pair.name,
    status: 'active',
    tradable: true,
    marginable: false,
    shortable: false,
    easy_to_borrow: false,
    fractionable: true,
    attributes: [],
    min_order_size: pair.minOrderSize,
    min_trade_increment: '0.000000001',
    price_increment: '0.000000001',
  };
}
