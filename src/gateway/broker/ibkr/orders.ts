import { z } from 'zod';
import { assetClassOf } from '../../../trading/asset-class.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { isFinal, type Order } from '../../../trading/views.ts';
import type { Broker, Submission } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { exactNumber } from '../exact-number.ts';
import { NoAnswer, type RestClient } from '../rest-client.ts';
import type { Contracts } from './contracts.ts';
import { failureOf, IbkrNo } from './failure.ts';
import type { OrderList } from './order-list.ts';
import { coversReply, type ReplyMessage, replyText } from './replies.ts';
import { ibkrTerms } from './traits.ts';

const ORDER_ID = /^[1-9]\d{0,14}$/;
/** Questions that one order may be asked. */
const MOST_REPLIES = 5;

const types = { market: 'MKT', limit: 'LMT', stop: 'STP', stop_limit: 'STOP_LIMIT' } as const;
const times = { day: 'DAY', gtc: 'GTC', opg: 'OPG', ioc: 'IOC' } as const;

const reply = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  message: z.array(z.string()),
  messageIds: z.array(z.string()).default([]),
});
const taken = z.object({ order_id: z.string().regex(ORDER_ID), order_status: z.string() });
const failed = z.object({ order_id: z.literal('-1'), text: z.string() });
const oneOf = z.union([reply, taken, failed]);
/** One order was sent, so one thing is answered; alone, or in a list. */
const answerOf = z.union([oneOf, z.tuple([oneOf]).transform(([one]) => one)]);

type Orders = Pick<Broker, 'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'>;

/** What orders of an account are sent and read by. */
export interface IbkrSession {
  /** Nothing of an account may be asked before its session has been asked for its accounts. */
  readonly ready: () => Promise<unknown>;
  readonly contracts: Contracts;
  readonly list: OrderList;
}

/** Orders by the Client Portal Web API: `/iserver/account/{account}/order…`. */
export function ibkrOrders(
  client: RestClient,
  account: string,
  { ready, contracts, list }: IbkrSession,
  requests: BrokerRequests,
): Orders {
  const path = `/iserver/account/${encodeURIComponent(account)}`;
  return {
    orders: ({ status, limit, symbols }) =>
      requests.read(async () => {
        await ready();
        return (await list.read())
          .filter((order) => status === 'all' || isFinal(order.status) === (status === 'closed'))
          .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
          .slice(0, limit);
      }),
    order: async (id) =>
      ORDER_ID.test(id)
        ? requests.read(async () => {
            await ready();
            return (await list.recent()).find((order) => order.id === id);
          })
        : undefined,
    orderByClientOrderId: (clientOrderId) =>
      requests.read(async () => {
        await ready();
        return (await list.read()).find((order) => order.client_order_id === clientOrderId);
      }),
    submit: async (draft) => {
      // Which contract it is, is asked before anything is sent: that this fails is no order.
      const { ticket, unsent } = await prepared(draft, account, { ready, contracts }, requests);
      if (unsent !== undefined) return unsent;
      return requests.submit(draft.client_order_id, async () => {
        list.forget();
        const first = await client(`${path}/orders`, { method: 'POST', json: { orders: [ticket] } });
        const { order_id } = await answered(client, draft, first);
        return await listedAs(list, order_id);
      });
    },
    replace: async () => notReplaced,
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () => {
        list.forget();
        const answer = await client(`${path}/order/${id}`, { method: 'DELETE' });
        z.object({ msg: z.string(), order_id: z.union([z.number(), z.string()]) }).parse(answer);
      });
    },
  };
}

const notReplaced: Submission = {
  outcome: 'refused',
  reason: 'not_replaceable',
  message:
    'Interactive Brokers changes an order in place, and puts none in the place of another: cancel it, and propose a new one',
  brokerCode: undefined,
};

/**
 * Answers what is asked of an order until it is taken. What the approval does not say yes to is answered with no, so that
 * nothing is left open that a later yes could send.
 * @throws {IbkrNo} a definite no; {@link NoAnswer} where a yes went out and it is not known what came of it
 */
async function answered(
  client: RestClient,
  draft: OrderDraft,
  first: unknown,
): Promise<z.output<typeof taken>> {
  let answer = answerOf.parse(first);
  for (let asked = 0; ; asked++) {
    if ('text' in answer) throw new IbkrNo(answer.text);
    if (!('message' in answer)) return answer;
    if (asked === MOST_REPLIES || !coversReply(draft, answer)) return await refuse(client, answer);
    answer = await confirm(client, answer);
  }
}

async function confirm(client: RestClient, { id }: ReplyMessage): Promise<z.output<typeof oneOf>> {
  try {
    const next = await client(`/iserver/reply/${id}`, { method: 'POST', json: { confirmed: true } });
    return answerOf.parse(next);
  } catch (error) {
    const failure = failureOf(error);
    // That it knows no such question any more may mean that it was answered.
    if (failure.kind === 'refused' && !/reply id/i.test(failure.message)) throw error;
    throw new NoAnswer('unreadable');
  }
}

/** A question that is not answered with yes sends nothing, whether or not the no arrives. */
async function refuse(client: RestClient, asked: ReplyMessage): Promise<never> {
  await client(`/iserver/reply/${asked.id}`, { method: 'POST', json: { confirmed: false } }).catch(
    () => undefined,
  );
  throw new IbkrNo(`it asks for more than was approved: ${replyText(asked)}`);
}

/** The order as the list has it, with the id that it was sent with: only that says whose it is. */
async function listedAs(list: OrderList, orderId: string): Promise<Order> {
  let found: Order | undefined;
  try {
    found = (await list.read()).find(({ id }) => id === orderId);
  } catch {
    throw new NoAnswer('unreadable');
  }
  if (found === undefined) throw new NoAnswer('unreadable');
  return found;
}

/** What goes out, or why nothing does. */
interface Prepared {
  readonly ticket?: Record<string, unknown>;
  readonly unsent?: Submission;
}

async function prepared(
  draft: OrderDraft,
  account: string,
  { ready, contracts }: Pick<IbkrSession, 'ready' | 'contracts'>,
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
