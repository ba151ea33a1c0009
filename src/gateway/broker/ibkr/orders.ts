import { z } from 'zod';
import { safeLine } from '../../../text/sanitize.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import type { BrokerOrders, SubmissionResult } from '../broker.ts';
import { NotSentError } from '../broker-failure.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import {
  applyOrderQuery,
  requireSupportedOrder,
  toExactJsonNumber,
  unsupportedReplacementResult,
} from '../plain-orders.ts';
import { NoResponseError, type RestClient } from '../rest-client.ts';
import type { FindContracts } from './contracts.ts';
import { classifyIbkrError, IbkrRejectionError } from './failure.ts';
import type { OrderList } from './order-list.ts';
import { ibkrOrderTypes, ibkrTerms, ibkrTraits } from './traits.ts';

/** A question that Interactive Brokers asks before it transmits an order ("Order Reply Messages"). */
interface ReplyMessage {
  readonly id: string;
  readonly message: readonly string[];
  readonly messageIds: readonly string[];
}

/** Returns whether the approval already answers the question by stating the quantity or the limit price. */
type Covers = (order: OrderDraft) => boolean;

const bounded: Covers = ({ limit_price }) => limit_price !== undefined;
const counted: Covers = ({ qty }) => qty !== undefined;

/** Questions that are confirmed if the order's approval covers them ("Suppressible Message IDs"). */
const coveredMessages: Readonly<Record<string, Covers>> = {
  /** The price exceeds a percentage constraint. */
  o163: bounded,
  /** There is no market data. */
  o354: bounded,
  /** The size exceeds an account preset. */
  o383: counted,
  /** The order will most likely trigger and fill immediately. */
  o403: bounded,
  /** The value exceeds an account preset. */
  o451: (order) => bounded(order) && counted(order),
  /** IBKR's warning that stop orders are risky. Confirmed only for an order with a limit price. */
  o10152: bounded,
  o10331: bounded,
  /** The broker may cap the price. A cap can only improve the price. */
  o10153: bounded,
  /** The order may be rejected because of its price. */
  p12: bounded,
};

function coversReply(order: OrderDraft, { messageIds }: ReplyMessage): boolean {
  return (
    messageIds.length > 0 &&
    messageIds.every((id) => Object.hasOwn(coveredMessages, id) && coveredMessages[id]?.(order) === true)
  );
}

function replyText({ message }: ReplyMessage): string {
  return safeLine(message.join(' ').replace(/<[^>]*>/g, ' '), 300);
}

const ORDER_ID = /^[1-9]\d{0,14}$/;
const MAX_QUESTIONS = 5;

const reply = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  message: z.array(z.string()),
  messageIds: z.array(z.string()).default([]),
});
const taken = z.object({ order_id: z.string().regex(ORDER_ID), order_status: z.string() });
const failed = z.object({ order_id: z.literal('-1'), text: z.string() });
const oneOf = z.union([reply, taken, failed]);
/** The response about the order that was sent, possibly in an array. */
const answerOf = z.union([oneOf, z.tuple([oneOf]).transform(([one]) => one)]);

interface IbkrSession {
  /** Makes the requests that must come before any other request about an account. Must be awaited. */
  readonly ready: () => Promise<unknown>;
  readonly contracts: FindContracts;
  readonly list: OrderList;
}

/** Implements the order methods of `Broker` with the Client Portal Web API, `/iserver/account/{account}/order…`. */
export function createIbkrOrderMethods(
  client: RestClient,
  account: string,
  { ready, contracts, list }: IbkrSession,
  requests: BrokerRequests,
): BrokerOrders {
  const path = `/iserver/account/${encodeURIComponent(account)}`;
  return {
    orders: (query) =>
      requests.read(async () => {
        await ready();
        return applyOrderQuery(await list.read(), query);
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
      // Looks up the contract before the order is sent, so a failure here proves that there is no order.
      const { ticket, unsent } = await prepareTicket(draft, account, { ready, contracts }, requests);
      if (unsent !== undefined) return unsent;
      return requests.submit(draft.client_order_id, async () => {
        list.forget();
        const first = await client(`${path}/orders`, { method: 'POST', json: { orders: [ticket] } });
        const { order_id } = await confirmQuestions(client, draft, first);
        return await findListedOrder(list, order_id);
      });
    },
    replace: async () => unsupportedReplacementResult(ibkrTraits.label),
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

/**
 * Answers questions until the order is accepted. A question that the approval does not cover is declined, so that no
 * later confirmation can send the order.
 * @throws {IbkrRejectionError} if a question is declined or the order is rejected
 * @throws {NoResponseError} if a confirmation was sent, but its result is unknown
 */
async function confirmQuestions(
  client: RestClient,
  draft: OrderDraft,
  first: unknown,
): Promise<z.output<typeof taken>> {
  let answer = answerOf.parse(first);
  for (let asked = 0; ; asked++) {
    if ('text' in answer) throw new IbkrRejectionError(answer.text);
    if (!('message' in answer)) return answer;
    if (asked === MAX_QUESTIONS || !coversReply(draft, answer)) return await declineQuestion(client, answer);
    answer = await confirm(client, answer);
  }
}

async function confirm(client: RestClient, { id }: ReplyMessage): Promise<z.output<typeof oneOf>> {
  try {
    const next = await client(`/iserver/reply/${id}`, { method: 'POST', json: { confirmed: true } });
    return answerOf.parse(next);
  } catch (error) {
    const failure = classifyIbkrError(error);
    // An unknown reply ID does not reject the order, because the question may have been answered before.
    if (failure.kind === 'refused' && !/reply id/i.test(failure.message)) throw error;
    throw new NoResponseError('unreadable');
  }
}

/** Declines a question. Even if the answer is lost, the order is not sent, because it needs a confirmation. */
async function declineQuestion(client: RestClient, asked: ReplyMessage): Promise<never> {
  await client(`/iserver/reply/${asked.id}`, { method: 'POST', json: { confirmed: false } }).catch(() => undefined);
  throw new IbkrRejectionError(
    `Interactive Brokers asks for a confirmation that the approval does not cover: ${replyText(asked)}`,
  );
}

/** Finds the order in the list of orders, because only the list contains the client_order_id. */
async function findListedOrder(list: OrderList, orderId: string): Promise<Order> {
  let found: Order | undefined;
  try {
    found = (await list.read()).find(({ id }) => id === orderId);
  } catch {
    throw new NoResponseError('unreadable');
  }
  if (found === undefined) throw new NoResponseError('unreadable');
  return found;
}

const times = { day: 'DAY', gtc: 'GTC', opg: 'OPG', ioc: 'IOC' } as const;

interface Prepared {
  readonly ticket?: Record<string, unknown>;
  readonly unsent?: SubmissionResult;
}

/** Prepares the order's request, or returns why it can't be sent: `not_taken` if the contract could not be read. */
async function prepareTicket(
  draft: OrderDraft,
  account: string,
  { ready, contracts }: { readonly ready: () => Promise<unknown>; readonly contracts: FindContracts },
  requests: BrokerRequests,
): Promise<Prepared> {
  const { label } = ibkrTraits;
  try {
    requireSupportedOrder(draft, label, ibkrTerms);
    const known = await requests.read(async () => {
      await ready();
      return await contracts([draft.symbol]);
    });
    const contract = known.get(draft.symbol);
    if (contract === undefined) throw new NotSentError(`${label} does not have exactly one US stock ${draft.symbol}`);
    return { ticket: toTicket(draft, account, contract.conid) };
  } catch (error) {
    if (error instanceof NotSentError) {
      const { message } = error;
      return { unsent: { outcome: 'refused', reason: 'other', message, brokerCode: undefined } };
    }
    const isBusy = (error as { code?: unknown }).code !== 'account_not_connected';
    return { unsent: { outcome: 'not_taken', reason: isBusy ? 'rate_limited' : 'unauthorized' } };
  }
}

/** Builds IBKR's request for an order. @throws {NotSentError} for an amount that no JSON number represents exactly */
function toTicket(draft: OrderDraft, account: string, conid: number): Record<string, unknown> {
  const { type, limit_price, stop_price } = draft;
  const number = (text: string) => toExactJsonNumber(text, ibkrTraits.label);
  // "price: typically the limit price; for STP it is the stop price. auxPrice: the stop price of a STOP_LIMIT".
  const price = limit_price ?? stop_price;
  return {
    acctId: account,
    conid,
    cOID: draft.client_order_id,
    orderType: ibkrOrderTypes[type]?.sent,
    listingExchange: 'SMART',
    outsideRTH: draft.extended_hours,
    side: draft.side === 'buy' ? 'BUY' : 'SELL',
    tif: times[draft.time_in_force as keyof typeof times],
    quantity: number(draft.qty ?? ''),
    ...(price === undefined ? {} : { price: number(price) }),
    ...(limit_price !== undefined && stop_price !== undefined ? { auxPrice: number(stop_price) } : {}),
  };
}
