import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { english, type Say } from '../../text/phrase.ts';
import { type FieldWords, toDetailFields } from '../detail-fields.ts';
import { checkOrder, describeOrder, environments, type OrderDraft, orderDraftSchema } from '../order.ts';
import { invalidOrderError } from '../order-problem.ts';
import { orderHeadline as terminalHeadline, withApprovedType } from '../order-words.ts';
import { type BatchLine, batchLineSchema, defineKind } from './kind-words.ts';
import { order, orderDraftFields } from './order.ts';
import { orderPhrases } from './phrases.ts';

/** Minimum and maximum number of orders in a batch. More orders would not fit on one card. */
export const MIN_BATCH_ORDERS = 2;
export const MAX_BATCH_ORDERS = 20;

const failureModes = ['stop', 'continue'] as const;

const requestSchema = z.lazy(() =>
  z.strictObject({
    orders: z.array(order.requestSchema.unwrap()).min(MIN_BATCH_ORDERS).max(MAX_BATCH_ORDERS),
    on_failure: z.enum(failureModes).default('stop'),
  }),
);
export type BatchRequest = z.output<typeof requestSchema>;

/** Complete orders in execution order, sells first. */
const subjectSchema = z.lazy(() =>
  z.strictObject({
    account: z.string().regex(/^[\x20-\x7e]{1,64}$/),
    environment: z.enum(environments),
    orders: z.array(orderDraftSchema).min(MIN_BATCH_ORDERS).max(MAX_BATCH_ORDERS),
    on_failure: z.enum(failureModes),
    client_batch_id: z.string().regex(/^[A-Za-z0-9_-]{8,48}$/),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type BatchSubject = z.output<typeof subjectSchema>;

const resultSchema = z.lazy(() => z.object({ lines: z.array(batchLineSchema) }));
export type BatchResult = z.output<typeof resultSchema>;

const fieldWords: FieldWords = {
  on_failure: { label: 'If one fails', shown: failureModeText },
  client_batch_id: { label: 'Batch ID' },
};

export const batch = defineKind({
  name: 'batch',
  detailsType: 'trade_batch',
  action: 'place',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: false,
  requestSchema,
  subjectSchema,
  resultSchema,
  check: checkBatch,
  environment: ({ environment }) => environment,
  summary: ({ orders }) => `${orders.length} ORDERS: ${orders.map(describeOrder).join('; ')}`,
  toOutcome: ({ lines }, { orders }) => ({
    lines: lines.map((line) => {
      const type = orders.find((draft) => draft.client_order_id === line.client_order_id)?.type;
      return line.order === undefined ? line : { ...line, order: withApprovedType(line.order, type) };
    }),
  }),
  phrases: {
    ...orderPhrases,
    status: {
      executing: 'placing the orders',
      executed: 'orders placed',
      denied: 'denied on the phone; nothing was ordered',
      expired: 'expired; nothing was ordered',
      cancelled: 'canceled; nothing was ordered',
      blocked: 'blocked; nothing was ordered',
      unknown: 'outcome unknown: check your orders',
    },
  },
  terminal: {
    called: 'orders',
    headline: ({ orders }) => `${orders.length} ORDERS, sells first`,
    fields: (subject) => [
      ...subject.orders.map((draft, at): [string, string] => [`${at + 1}`, terminalHeadline(draft)]),
      ['if one fails', failureModeText(subject.on_failure)],
      ['account', `${subject.account}`],
      ['batch id', subject.client_batch_id],
    ],
    brief: ({ orders }) => orders.map(terminalHeadline),
  },
  phone: {
    called: 'orders',
    fieldWords,
    view(subject) {
      const { orders, ...frame } = subject;
      return {
        headline: `${orders.length} orders together`,
        terms: sideCounts(orders),
        fields: [
          ...orders.flatMap((draft, at) =>
            orderDraftFields(draft).map(({ name, label, ...field }) => {
              return { ...field, name: `orders.${at}.${name}`, label: `${at + 1}. ${label}` };
            }),
          ),
          ...toDetailFields(frame, fieldWords),
        ],
      };
    },
  },
});

function sideCounts(orders: readonly OrderDraft[]): string {
  const count = (side: OrderDraft['side']) => orders.filter((draft) => draft.side === side).length;
  return [
    [count('sell'), 'to sell'],
    [count('buy'), 'to buy'],
  ]
    .filter(([many]) => many !== 0)
    .map(([many, what]) => `${many} ${what}`)
    .join(', ');
}

function failureModeText(value: string): string {
  return value === 'stop' ? 'the rest are not sent' : 'the others continue';
}

/**
 * Rejects an order with exits: a batch sends its sales first, but exits can sell only after their entry has filled.
 * @throws {TradeAgentError} `invalid_order`
 */
export function rejectExits({ order_class, symbol }: Pick<OrderDraft, 'order_class' | 'symbol'>): void {
  if (order_class === undefined) return;
  throw invalidOrderError(
    `the ${order_class} order for ${symbol} has exits and can't be part of a batch`,
    'Propose this order separately.',
    'order_class',
  );
}

function checkBatch({ orders, account, environment, expires_at }: BatchSubject): void {
  for (const draft of orders) {
    checkOrder(draft);
    rejectExits(draft);
  }
  const wrong = (why: string) =>
    invalidOrderError(`these orders can't form a batch: ${why}`, 'Propose them again.', 'orders');
  const isAlike = (draft: OrderDraft) =>
    draft.account === account && draft.environment === environment && draft.expires_at === expires_at;
  if (!orders.every(isAlike)) throw wrong('they have different accounts or expiry times');
  if (new Set(orders.map(({ client_order_id }) => client_order_id)).size !== orders.length)
    throw wrong('two of them have the same client_order_id');
  const firstBuy = orders.findIndex(({ side }) => side === 'buy');
  if (firstBuy >= 0 && orders.slice(firstBuy).some(({ side }) => side === 'sell'))
    throw wrong('a sell comes after a buy');
}

export function describeBatchOutcome(lines: readonly BatchLine[], say: Say = english): string {
  const placed = lines.filter(({ outcome }) => outcome === 'placed').length;
  const failed = lines.filter(({ outcome }) => outcome === 'refused').length;
  const left = lines.length - placed - failed;
  return [
    say`${placed} of ${lines.length} orders placed`,
    ...(failed === 0 ? [] : [say`${failed} refused`]),
    ...(left === 0 ? [] : [say`${left} not sent`]),
  ].join(', ');
}
