import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { positiveDecimalString } from '../decimal.ts';
import { detailsHeadline, type FieldWords, toDetailFields } from '../detail-fields.ts';
import { openOrderDetails, openOrderFields } from '../open-order.ts';
import { accountNumberSchema, checkOrder, describeOrder, orderDraftSchema, timesInForce } from '../order.ts';
import { openOrderHeadline, orderFields, orderHeadline as terminalHeadline, withApprovedType } from '../order-words.ts';
import { orderSchema } from '../views.ts';
import { orderIdSchema } from './cancel.ts';
import { defineKind } from './kind-words.ts';
import { briefOrderDetails, orderDraftFields } from './order.ts';
import { changePhrases } from './phrases.ts';

const changes = z.lazy(() =>
  z.strictObject({
    qty: positiveDecimalString.optional(),
    limit_price: positiveDecimalString.optional(),
    stop_price: positiveDecimalString.optional(),
    trail: positiveDecimalString.optional(),
    time_in_force: z.enum(timesInForce).optional(),
  }),
);

/** Requires at least one change in addition to the order's ID. */
const requestSchema = z.lazy(() =>
  z.strictObject({
    /** The account's number. Defaults to the person's default account. */
    account: accountNumberSchema.optional(),
    order_id: orderIdSchema,
    ...changes.unwrap().shape,
  }),
);
export type ReplaceRequest = z.output<typeof requestSchema>;

const subjectSchema = z.lazy(() =>
  z.strictObject({
    order: orderSchema,
    changes: changes.unwrap(),
    draft: orderDraftSchema,
  }),
);
export type ReplaceSubject = z.output<typeof subjectSchema>;

const fieldWords: FieldWords = { trail: { label: 'Trail' } };

export const replace = defineKind({
  name: 'replace',
  detailsType: 'order_replace',
  action: 'replace',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: false,
  requestSchema,
  subjectSchema,
  resultSchema: orderSchema,
  check: ({ draft }) => checkOrder(draft),
  environment: ({ draft }) => draft.environment,
  summary: ({ draft }) => `CHANGE TO ${describeOrder(draft)}`,
  toOutcome: (placed, { draft }) => ({ placed: withApprovedType(placed, draft.type) }),
  phrases: changePhrases,
  terminal: {
    called: 'change to an order',
    headline: ({ order, draft }) => `CHANGE ${openOrderHeadline(order)} to ${terminalHeadline(draft)}`,
    fields: ({ order, changes, draft }) => {
      const was: Readonly<Record<string, unknown>> = {
        ...order,
        trail: order.trail_price ?? order.trail_percent,
      };
      return [
        ['instead', openOrderHeadline(order)],
        ...orderFields(draft),
        ...Object.entries(changes).map(([field, value]): [string, string] => [
          'changes',
          `${field.replaceAll('_', ' ')} from ${was[field] ?? '-'} to ${value}`,
        ]),
      ];
    },
    brief: ({ draft }) => briefOrderDetails(draft),
  },
  phone: {
    called: 'change to an order',
    fieldWords,
    view({ order, changes, draft }) {
      const details = openOrderDetails(order);
      const before = new Map(toDetailFields(details).map(({ name, text }) => [name, text]));
      const changed = toDetailFields(changes, fieldWords).map(({ label, ...field }) => ({
        ...field,
        label,
        text: `${before.get(field.name) ?? 'none'} → ${field.text}`,
      }));
      return {
        headline: `Change: ${detailsHeadline(details)}`,
        terms: changed.map(({ label, text }) => `${label}: ${text}`).join(' · '),
        side: draft.side,
        fields: [
          ...changed.map(({ name, label, ...field }) => {
            return { ...field, name: `changes.${name}`, label: `${label}, changed` };
          }),
          ...orderDraftFields(draft),
          ...openOrderFields(order),
        ],
      };
    },
  },
});
