import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { type DetailField, detailsHeadline, detailsTerms, toDetailFields } from '../detail-fields.ts';
import {
  checkOrder,
  describeOrder,
  environments,
  type OrderDraft,
  orderDraftSchema,
  orderRequestSchema,
  slippageSchema,
} from '../order.ts';
import { orderFields, orderHeadline as terminalHeadline, withApprovedType } from '../order-words.ts';
import { orderSchema } from '../views.ts';
import { defineKind } from './kind-words.ts';
import { orderPhrases } from './phrases.ts';

const requestSchema = z.lazy(() =>
  orderRequestSchema.extend({
    /** A fraction. Defaults to the gateway's setting. */
    max_slippage: slippageSchema.optional(),
    /** If set, the account must be in this environment, so that a paper profile can't trade live. */
    environment: z.enum(environments).optional(),
  }),
);
export type OrderProposalRequest = z.output<typeof requestSchema>;

export const order = defineKind({
  name: 'order',
  detailsType: 'trade_order',
  action: 'place',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: false,
  requestSchema,
  subjectSchema: orderDraftSchema,
  resultSchema: orderSchema,
  check: checkOrder,
  environment: ({ environment }) => environment,
  mandate: ({ mandate }) => mandate,
  summary: describeOrder,
  toOutcome: (placed, { type }) => ({ placed: withApprovedType(placed, type) }),
  phrases: orderPhrases,
  terminal: { called: 'order', headline: terminalHeadline, fields: orderFields, brief: briefOrderDetails },
  phone: {
    called: 'order',
    fieldWords: {},
    view(draft) {
      const { type, ...rest } = draft;
      const flat = { ...rest, order_type: type };
      return {
        headline: detailsHeadline(flat),
        terms: detailsTerms(flat),
        side: draft.side,
        fields: orderDraftFields(draft),
      };
    },
  },
});

export function briefOrderDetails({ account, time_in_force, extended_hours }: OrderDraft): string[] {
  return [account, time_in_force, ...(extended_hours ? ['extended hours'] : [])];
}

export function orderDraftFields({ type, ...rest }: OrderDraft): DetailField[] {
  return toDetailFields({ ...rest, order_type: type }).map((field) => ({
    ...field,
    name: field.name === 'order_type' ? 'type' : field.name,
  }));
}
