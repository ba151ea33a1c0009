import { assetClassOf } from '../../../trading/asset-class.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { assetTerms } from '../asset-terms.ts';
import { badParameter, unprocessable } from '../broker-error.ts';
import type { Ticket } from '../order-body.ts';
import { readTicket } from '../order-ticket.ts';
import type { PositionRecord } from '../records.ts';

/** How much of a position is to be closed: all of it, so many shares, or so many per cent. */
export interface Part {
  readonly qty?: string | undefined;
  readonly percentage?: string | undefined;
}

/**
 * The market order that closes a position, or a part of it (Trading API, "Close a Position"). Per cents of a position in
 * whole shares are rounded down to whole shares.
 * @throws {BrokerError} 422 for a part that is none
 */
export function closingTicket(position: PositionRecord, { qty, percentage }: Part): Ticket {
  if (qty !== undefined && percentage !== undefined) {
    throw badParameter('only one of qty or percentage is accepted');
  }
  const held = new Dec(position.qty);
  const whole = held.abs();
  const wanted =
    qty !== undefined
      ? amountOf(qty, 'qty')
      : percentage !== undefined
        ? whole
            .times(percentOf(percentage))
            .div(100)
            .toDecimalPlaces(whole.isInteger() ? 0 : 9, Dec.ROUND_DOWN)
        : whole;
  if (wanted.isZero()) throw unprocessable('qty to liquidate is zero');
  return readTicket({
    symbol: position.symbol,
    side: held.isNegative() ? 'buy' : 'sell',
    type: 'market',
    time_in_force: assetTerms[assetClassOf(position.symbol)].closing,
    qty: plain(wanted),
  });
}

function percentOf(text: string): Dec {
  const percent = amountOf(text, 'percentage');
  if (percent.gt(100)) throw badParameter('percentage must be between 0 and 100');
  return percent;
}

function amountOf(text: string, name: string): Dec {
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) throw badParameter(`invalid ${name}`);
  return new Dec(text);
}
