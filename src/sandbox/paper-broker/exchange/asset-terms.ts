import type { AssetClass } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { OrderType, TimeInForce } from '../../../trading/order.ts';
import { type BrokerError, badParameterError, unprocessableError } from '../books/broker-error.ts';
import type { OrderTicket } from './order-body.ts';

interface AssetTerms {
  readonly types: readonly OrderType[];
  readonly wrongType: BrokerError;
  readonly timesInForce: readonly TimeInForce[];
  readonly wrongTimeInForce: BrokerError;
  readonly noFractions?: { readonly qty: BrokerError; readonly notional: BrokerError };
  readonly noExtendedHours?: BrokerError;
  readonly noGroups?: (order_class: OrderTicket['order_class']) => BrokerError;
  readonly leastCost: string;
  readonly closing: TimeInForce;
}

/**
 * Rules from Alpaca's "Placing orders", "Crypto trading" and "Options trading overview", including their error tables.
 */
export const assetTerms: Readonly<Record<AssetClass, AssetTerms>> = {
  us_equity: {
    types: ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'],
    wrongType: badParameterError('invalid order type'),
    timesInForce: ['day', 'gtc', 'opg', 'cls', 'ioc', 'fok'],
    wrongTimeInForce: unprocessableError('invalid time_in_force'),
    leastCost: '1',
    closing: 'day',
  },
  crypto: {
    types: ['market', 'limit', 'stop_limit'],
    wrongType: badParameterError('invalid order type for crypto order'),
    timesInForce: ['gtc', 'ioc'],
    wrongTimeInForce: unprocessableError('invalid crypto time_in_force'),
    noExtendedHours: unprocessableError('extended hours is not supported for crypto orders'),
    noGroups: (order_class) =>
      unprocessableError(
        `crypto orders not allowed for advanced order_class: ${order_class === 'bracket' ? 'otoco' : order_class}`,
      ),
    leastCost: '10',
    closing: 'gtc',
  },
  us_option: {
    types: ['market', 'limit', 'stop', 'stop_limit'],
    wrongType: unprocessableError('invalid order type for options trading'),
    timesInForce: ['day', 'gtc'],
    wrongTimeInForce: unprocessableError('order_time_in_force provided not supported for options trading'),
    noFractions: {
      qty: unprocessableError('qty must be integer for options trading'),
      notional: unprocessableError('notional orders are not supported for options trading'),
    },
    noExtendedHours: unprocessableError('extended hours is not supported for options trading'),
    noGroups: () => unprocessableError('complex orders not supported for options trading'),
    leastCost: '0',
    closing: 'day',
  },
};

export function checkAssetTerms(ticket: OrderTicket, terms: AssetTerms): void {
  if (!terms.types.includes(ticket.type)) throw terms.wrongType;
  if (!terms.timesInForce.includes(ticket.time_in_force)) throw terms.wrongTimeInForce;
  if (ticket.order_class !== '' && terms.noGroups !== undefined) throw terms.noGroups(ticket.order_class);
  if (ticket.extended_hours && terms.noExtendedHours !== undefined) throw terms.noExtendedHours;
  if (terms.noFractions === undefined) return;
  if (ticket.notional !== null) throw terms.noFractions.notional;
  if (!new Dec(ticket.qty ?? 0).isInteger()) throw terms.noFractions.qty;
}
