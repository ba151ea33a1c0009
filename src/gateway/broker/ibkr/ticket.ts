import { assetClassOf } from '../../../trading/asset-class.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Submission } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { exactNumber } from '../exact-number.ts';
import type { Contracts } from './contracts.ts';
import { ibkrTerms } from './traits.ts';

const types = { market: 'MKT', limit: 'LMT', stop: 'STP', stop_limit: 'STOP_LIMIT' } as const;
const times = { day: 'DAY', gtc: 'GTC', opg: 'OPG', ioc: 'IOC' } as const;

/** What goes out, or why nothing does. */
interface Prepared {
  readonly ticket?: Record<string, unknown>;
  readonly unsent?: Submission;
}

/** The ticket of an order. That its contract can't be asked for is no order: it may be sent later. */
export async function preparedTicket(
  draft: OrderDraft,
  account: string,
  { ready, contracts }: { readonly ready: () => Promise<unknown>; readonly contracts: Contracts },
  requests: BrokerRequests,
): Promise<Prepared> {
  const refused = (message: string): Prepared => ({
    unsent: { outcome: 'refused', reason: 'other', message, brokerCode: undefined },
  });
  const problem = unsaid(draft);
  if (problem !== undefined) return refused(problem);
  try {
    const known = await requests.read(async () => {
      await ready();
      return await contracts([draft.symbol]);
    });
    const contract = known.get(draft.symbol);
    if (contract === undefined)
      return refused(`Interactive Brokers knows no one stock ${draft.symbol} of the United States`);
    return { ticket: ticketOf(draft, account, contract.conid) };
  } catch (error) {
    if (error instanceof RangeError)
      return refused('Interactive Brokers takes no amount with so many digits');
    return { unsent: { outcome: 'not_taken', reason: isBusy(error) ? 'rate_limited' : 'unauthorized' } };
  }
}

const isBusy = (error: unknown) => (error as { code?: unknown }).code !== 'account_not_connected';

/** What it has no word for. */
function unsaid(draft: OrderDraft): string | undefined {
  const { type, time_in_force, qty, notional, extended_hours } = draft;
  if (assetClassOf(draft.symbol) !== 'us_equity' || draft.order_class !== undefined) {
    return 'only plain orders for shares are sent to Interactive Brokers from here';
  }
  if (!ibkrTerms.timesInForce[type].includes(time_in_force)) {
    return `no ${type} order with time in force ${time_in_force} is sent to Interactive Brokers`;
  }
  const { types: late, timesInForce } = ibkrTerms.extendedHours;
  if (extended_hours && !(late.includes(type) && timesInForce.includes(time_in_force))) {
    return 'outside the regular hours limit orders alone are sent';
  }
  return qty === undefined || notional !== undefined || !/^\d+$/.test(qty)
    ? 'neither parts of a share nor amounts are sent to Interactive Brokers'
    : undefined;
}

/** An order in its words. @throws {RangeError} for an amount that no JSON number says */
function ticketOf(draft: OrderDraft, account: string, conid: number): Record<string, unknown> {
  const { type, limit_price, stop_price } = draft;
  // "price: typically the limit price; for STP it is the stop price. auxPrice: the stop price of a STOP_LIMIT".
  const price = limit_price ?? stop_price;
  return {
    acctId: account,
    conid,
    cOID: draft.client_order_id,
    orderType: types[type as keyof typeof types],
    listingExchange: 'SMART',
    outsideRTH: draft.extended_hours,
    side: draft.side === 'buy' ? 'BUY' : 'SELL',
    tif: times[draft.time_in_force as keyof typeof times],
    quantity: exactNumber(draft.qty ?? ''),
    ...(price === undefined ? {} : { price: exactNumber(price) }),
    ...(type === 'stop_limit' ? { auxPrice: exactNumber(stop_price ?? '') } : {}),
  };
}
