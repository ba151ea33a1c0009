import type { OrderDraft } from '../../../trading/order.ts';
import type { Submission } from '../broker.ts';
import { NotSent } from '../broker-failure.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { requireSayable, sentNumber } from '../plain-orders.ts';
import type { Contracts } from './contracts.ts';
import { ibkrTerms, ibkrTraits, ibkrTypes } from './traits.ts';

const times = { day: 'DAY', gtc: 'GTC', opg: 'OPG', ioc: 'IOC' } as const;

/** What goes out, or why nothing does. */
interface Prepared {
  readonly ticket?: Record<string, unknown>;
  readonly unsent?: Submission;
}

/** The ticket of an order. If its contract can't be asked for, there is no order, and it may be sent later. */
export async function preparedTicket(
  draft: OrderDraft,
  account: string,
  { ready, contracts }: { readonly ready: () => Promise<unknown>; readonly contracts: Contracts },
  requests: BrokerRequests,
): Promise<Prepared> {
  const { label } = ibkrTraits;
  try {
    requireSayable(draft, label, ibkrTerms);
    const known = await requests.read(async () => {
      await ready();
      return await contracts([draft.symbol]);
    });
    const contract = known.get(draft.symbol);
    if (contract === undefined)
      throw new NotSent(`${label} knows no one stock ${draft.symbol} of the United States`);
    return { ticket: ticketOf(draft, account, contract.conid) };
  } catch (error) {
    if (error instanceof NotSent) {
      const { message } = error;
      return { unsent: { outcome: 'refused', reason: 'other', message, brokerCode: undefined } };
    }
    const isBusy = (error as { code?: unknown }).code !== 'account_not_connected';
    return { unsent: { outcome: 'not_taken', reason: isBusy ? 'rate_limited' : 'unauthorized' } };
  }
}

/** An order in its words. @throws {NotSent} for an amount that no JSON number says */
function ticketOf(draft: OrderDraft, account: string, conid: number): Record<string, unknown> {
  const { type, limit_price, stop_price } = draft;
  const number = (text: string) => sentNumber(text, ibkrTraits.label);
  // "price: typically the limit price; for STP it is the stop price. auxPrice: the stop price of a STOP_LIMIT".
  const price = limit_price ?? stop_price;
  return {
    acctId: account,
    conid,
    cOID: draft.client_order_id,
    orderType: ibkrTypes[type]?.sent,
    listingExchange: 'SMART',
    outsideRTH: draft.extended_hours,
    side: draft.side === 'buy' ? 'BUY' : 'SELL',
    tif: times[draft.time_in_force as keyof typeof times],
    quantity: number(draft.qty ?? ''),
    ...(price === undefined ? {} : { price: number(price) }),
    ...(limit_price !== undefined && stop_price !== undefined ? { auxPrice: number(stop_price) } : {}),
  };
}
