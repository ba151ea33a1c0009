import type { LegKind, OrderClass } from '../../../store/sandbox/records.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import type { Side } from '../../../trading/order.ts';
import { BrokerError, badParameterError, unprocessableError } from '../books/broker-error.ts';
import type { OrderTicket } from './order-body.ts';

/** Requirements of an order class (Alpaca, "Placing orders"). */
interface ClassTerms {
  readonly opens: boolean;
  readonly exits: 1 | 2;
  readonly types: readonly OrderTicket['type'][];
  readonly typesInWords: string;
}

const entry = { opens: true, types: ['market', 'limit'], typesInWords: 'market or limit' } as const;
const classes: Readonly<Record<Exclude<OrderClass, '' | 'mleg'>, ClassTerms>> = {
  bracket: { ...entry, exits: 2 },
  oto: { ...entry, exits: 1 },
  oco: { opens: false, exits: 2, types: ['limit'], typesInWords: 'limit' },
};

const TICK = '0.01';

/** Checks that a ticket's fields fit its order class. Needs neither account nor market. @throws {BrokerError} 422 */
export function checkOrderClass(ticket: OrderTicket): void {
  const { order_class, take_profit, stop_loss } = ticket;
  if (order_class === '') {
    if (take_profit !== null || stop_loss !== null) {
      throw unprocessableError('simple orders must not have take_profit or stop_loss');
    }
    return;
  }
  const terms = classes[order_class];
  if (!terms.types.includes(ticket.type)) {
    throw badParameterError(`${order_class} orders must be ${terms.typesInWords} orders`);
  }
  if (ticket.qty === null || !new Dec(ticket.qty).isInteger()) {
    throw unprocessableError('fractional orders must be simple orders');
  }
  if (ticket.time_in_force !== 'day' && ticket.time_in_force !== 'gtc') {
    throw unprocessableError(`${order_class} orders must be DAY or GTC orders`);
  }
  if (ticket.extended_hours) throw unprocessableError('extended hours orders must be simple orders');
  checkExits(ticket, terms.exits);
  checkExitPrices(terms.opens ? oppositeSide(ticket.side) : ticket.side, {
    take_profit: take_profit?.limit_price ?? null,
    stop_loss: stop_loss?.stop_price ?? null,
    stop_loss_limit: stop_loss?.limit_price ?? null,
  });
}

function checkExits({ order_class, take_profit, stop_loss }: OrderTicket, exits: ClassTerms['exits']): void {
  if (exits === 1 && (take_profit === null) === (stop_loss === null)) {
    throw badParameterError('oto orders require either take_profit or stop_loss');
  }
  if (take_profit === null ? exits === 2 : take_profit.limit_price === null) {
    throw badParameterError(`${order_class} orders require take_profit.limit_price`);
  }
  if (stop_loss === null ? exits === 2 : stop_loss.stop_price === null) {
    throw badParameterError(`${order_class} orders require stop_loss.stop_price`);
  }
}

/** Prices of the exits, in dollars a share. Null for an exit that the order doesn't have. */
export interface ExitPrices {
  take_profit: string | null;
  stop_loss: string | null;
  stop_loss_limit: string | null;
}

/** Checks that no single price triggers both exits. @param side the exits' side @throws {BrokerError} 422 */
export function checkExitPrices(side: Side, { take_profit, stop_loss, stop_loss_limit }: ExitPrices): void {
  const sells = side === 'sell';
  const isBetter = (one: string, other: string) => new Dec(one).comparedTo(other) === (sells ? 1 : -1);
  if (take_profit !== null && stop_loss !== null && !isBetter(take_profit, stop_loss)) {
    throw unprocessableError(`take_profit.limit_price must be ${sells ? '>' : '<'} stop_loss.stop_price`);
  }
  if (stop_loss !== null && stop_loss_limit !== null && isBetter(stop_loss_limit, stop_loss)) {
    throw unprocessableError(`stop_loss.limit_price must be ${sells ? '<=' : '>='} stop_loss.stop_price`);
  }
}

/**
 * Checks that each exit's price is on the correct side of the entry's price.
 * @param side the entry's side
 * @param base the entry's limit price, or the last trade's price if the entry has no limit
 * @throws {BrokerError} 422 with `base_price`
 */
export function checkExitsAgainstBase(side: Side, exits: ExitPrices, base: string): void {
  const check = (name: string, price: string | null, above: boolean) => {
    if (price === null) return;
    const bound = above ? new Dec(base).plus(TICK) : new Dec(base).minus(TICK);
    if (above ? new Dec(price).gte(bound) : new Dec(price).lte(bound)) return;
    const message = `${name} must be ${above ? `>= base_price + ${TICK}` : `<= base_price - ${TICK}`}`;
    throw new BrokerError(422, 42210000, message, { base_price: toPlain(base) });
  };
  check('take_profit.limit_price', exits.take_profit, side === 'buy');
  check('stop_loss.stop_price', exits.stop_loss, side === 'sell');
}

export const opensPosition = (order_class: OrderClass): boolean =>
  order_class !== '' && order_class !== 'mleg' && classes[order_class].opens;

export const oppositeSide = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy');

export function legTickets(ticket: OrderTicket): { exit: LegKind; ticket: OrderTicket }[] {
  const { order_class, take_profit, stop_loss } = ticket;
  if (order_class === '') return [];
  const { opens } = classes[order_class];
  const leg = {
    ...ticket,
    side: opens ? oppositeSide(ticket.side) : ticket.side,
    client_order_id: null,
    position_intent: null,
    take_profit: null,
    stop_loss: null,
  };
  const legs: { exit: LegKind; ticket: OrderTicket }[] = [];
  if (take_profit !== null && opens) {
    legs.push({
      exit: 'take_profit',
      ticket: { ...leg, type: 'limit', limit_price: take_profit.limit_price },
    });
  }
  if (stop_loss !== null) {
    const { stop_price, limit_price } = stop_loss;
    const type = limit_price === null ? 'stop' : 'stop_limit';
    legs.push({ exit: 'stop_loss', ticket: { ...leg, type, stop_price, limit_price } });
  }
  return legs;
}
