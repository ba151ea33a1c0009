import { randomUUID } from 'node:crypto';
import { failpoint } from '../../../machine/failpoint.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { OrderRecord, PositionIntent } from '../../../store/sandbox/records.ts';
import { assetClassOf } from '../../../trading/asset-class.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { contractOf, expiresAt, isListed } from '../../instruments/option-contracts.ts';
import type { Market } from '../../market/market.ts';
import type { AccountSettingsStore } from '../books/account-settings.ts';
import { badParameter, notFound, notPermitted, unprocessable } from '../books/broker-error.ts';
import { isFractionable } from '../books/tradable-asset.ts';
import { checkAccount, heldOf, intentOf, type Means } from './account-check.ts';
import { newOrder, type Place } from './new-order.ts';
import type { Ticket } from './order-body.ts';
import { legTickets, opensPosition } from './order-classes.ts';
import { checkGroupPrices, checkPurpose, groupOf } from './order-group.ts';
import { isFractional } from './order-ticket.ts';

export interface AdmissionOptions {
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  now: () => number;
  partialFills: boolean;
  settings: Pick<AccountSettingsStore, 'of'>;
}

/** Call each inside a transaction: a refusal must roll back what was written. */
export function createAdmission(options: AdmissionOptions) {
  const { ledger, orders, market, now, partialFills, settings } = options;

  const meansOf = (accountId: string): Means => {
    const account = ledger.account(accountId);
    if (account === undefined) throw notFound('account not found');
    const positions = ledger.positions(accountId);
    const open = orders.openOf(accountId);
    return { cash: account.cash, positions, open, settings: settings.of(accountId), market };
  };

  const arrived = (accountId: string, ticket: Ticket, position_intent: PositionIntent, place?: Place) => {
    checkTradable(ticket, market, now());
    const quote = market.quote(ticket.symbol);
    if (quote === undefined) throw unprocessable(`asset "${ticket.symbol}" not found`);
    const client_order_id = ticket.client_order_id ?? randomUUID();
    if (orders.byClientOrderId(accountId, client_order_id) !== undefined) {
      throw badParameter('client_order_id must be unique');
    }
    const arrival = { accountId, quote, market, at: now(), partialFills, position_intent };
    const order = newOrder({ ...ticket, client_order_id }, { ...arrival, ...(place && { place }) });
    return { quote, order: { ...order, seq: 0 } };
  };

  return {
    /** @returns the order, its legs booked with it. @throws {BrokerError} */
    admit(accountId: string, ticket: Ticket): OrderRecord {
      const means = meansOf(accountId);
      const held = heldOf(ticket.symbol, means.positions);
      const intent = intentOf(ticket.side, held);
      const specified = ticket.position_intent ?? intent;
      if (specified !== intent) {
        throw unprocessable(`position intent mismatch, inferred: ${intent}, specified: ${specified}`);
      }
      const { quote, order } = arrived(accountId, ticket, intent);
      const legs = legTickets(ticket).map(({ exit, ticket: leg }) => {
        const place: Place = {
          parent_id: order.id,
          exit,
          dormant: opensPosition(ticket.order_class) ? 1 : 0,
        };
        return arrived(accountId, leg, `${leg.side}_to_close`, place).order;
      });
      checkGroupPrices([order, ...legs], quote);
      checkPurpose(order, plain(held));
      checkAccount(order, means);
      failpoint('broker.accepted');
      const added = orders.add(order);
      for (const leg of legs) orders.add(leg);
      failpoint('broker.written');
      return added;
    },
    /**
     * Books a replacement, in its group too. @param gone the order, no longer open, so that its reservation does not
     * count against its successor @throws {BrokerError}
     */
    succeed(gone: OrderRecord, before: OrderRecord, ticket: Ticket): OrderRecord {
      const others = groupOf(gone, orders).filter(({ id }) => id !== gone.id);
      const { quote, order } = arrived(gone.account_id, ticket, gone.position_intent);
      const { order_class, parent_id, exit, dormant } = gone;
      const status = before.status === 'held' ? 'held' : order.status;
      const successor = { ...order, order_class, parent_id, exit, dormant, status, replaces: gone.id };
      const heads = parent_id === null;
      checkGroupPrices(heads ? [successor, ...others] : [...others, successor], quote);
      // A held order is not in the market and needs nothing from the account.
      if (status !== 'held') checkAccount(successor, meansOf(gone.account_id));
      failpoint('broker.accepted');
      const added = orders.add(successor);
      for (const leg of heads ? others : []) {
        orders.update({
          ...leg,
          parent_id: added.id,
          qty: legQty(leg, gone, added),
          updated_at: added.created_at,
        });
      }
      orders.update({ ...gone, replaced_by: added.id });
      failpoint('broker.written');
      return added;
    },
  };
}

/** Exits cover what has filled so far plus what the successor has yet to fill. */
function legQty(leg: OrderRecord, gone: OrderRecord, successor: OrderRecord): string {
  const rest = new Dec(gone.qty ?? 0).minus(gone.filled_qty);
  return plain(new Dec(leg.qty ?? 0).minus(rest).plus(successor.qty ?? 0));
}

/** @throws {BrokerError} 422, 403 if the asset is not traded */
function checkTradable(ticket: Ticket, market: Market, at: number): void {
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
