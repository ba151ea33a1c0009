import { assetClassOf } from '../../../trading/asset-class.ts';
import { contractOf, expiresAt, isListed } from '../../instruments/option-contracts.ts';
import type { Market } from '../../market/market.ts';
import { notPermitted, unprocessable } from '../broker-error.ts';
import type { Ticket } from '../order-body.ts';
import { isFractional } from '../order-ticket.ts';
import { isFractionable } from '../tradable-asset.ts';

/**
 * Whether what is ordered is traded at all.
 * @param at milliseconds since the epoch
 * @throws {BrokerError} 422, 403
 */
export function checkTradable(ticket: Ticket, market: Market, at: number): void {
  const { symbol, type } = ticket;
  if (assetClassOf(symbol) === 'us_option') {
    const contract = contractOf(market, symbol);
    if (contract === undefined) throw unprocessable(`contract "${symbol}" not found`);
    if (at >= expiresAt(market, contract)) throw unprocessable(`contract "${symbol}" is expired`);
    if (!isListed(market, contract)) throw unprocessable(`contract "${symbol}" is not active`);
    if (type === 'market' && !market.isOpen(at)) {
      throw unprocessable('options market orders are only allowed during market hours');
    }
    return;
  }
  const asset = market.symbol(symbol);
  if (asset === undefined) throw unprocessable(`asset "${symbol}" not found`);
  if (assetClassOf(symbol) === 'us_equity' && isFractional(ticket) && !isFractionable(asset)) {
    throw notPermitted(`asset "${symbol}" is not fractionable`);
  }
}
