import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { lowercaseFirst } from '../../text/first-letter.ts';
import { detailsHeadline, detailsTerms, type FieldWords, toDetailFields } from '../detail-fields.ts';
import { environmentName } from '../environment.ts';
import { describeOpenOrder, openOrderDetails, openOrderFields } from '../open-order.ts';
import { accountNumberSchema, environments } from '../order.ts';
import { openOrderHeadline } from '../order-words.ts';
import { orderSchema } from '../views.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

export const orderIdSchema = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

const requestSchema = z.lazy(() =>
  z.strictObject({
    /** The account's number. Defaults to the person's default account. */
    account: accountNumberSchema.optional(),
    order_id: orderIdSchema,
  }),
);
export type CancelRequest = z.output<typeof requestSchema>;

const subjectSchema = z.lazy(() =>
  z.strictObject({
    account: z.string(),
    environment: z.enum(environments),
    order: orderSchema,
    /** Whether the order protects a position, so that canceling it could increase a loss. */
    protects: z.boolean(),
    client_cancel_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type CancelSubject = z.output<typeof subjectSchema>;

const fieldWords: FieldWords = {
  client_cancel_id: { label: 'Cancel ID' },
  protects: { label: 'Protects a position' },
};

export const cancel = defineKind({
  name: 'cancel',
  detailsType: 'order_cancel',
  action: 'cancel',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: true,
  requestSchema,
  subjectSchema,
  resultSchema: orderSchema,
  check: () => {},
  environment: ({ environment }) => environment,
  summary: ({ order }) => `CANCEL ${describeOpenOrder(order)}`,
  toOutcome: (placed) => ({ placed }),
  phrases: changePhrases,
  terminal: {
    called: 'cancel',
    headline: ({ order }) => `CANCEL ${openOrderHeadline(order)}`,
    fields: ({ order, account, environment, protects }) => [
      ['cancel', openOrderHeadline(order)],
      ['account', `${account} ${environmentName(environment)}`],
      ...(protects ? [['protects', 'a position: without this order, you could lose more'] as [string, string]] : []),
      ['order ID', order.id],
    ],
    brief: ({ account }) => [account],
  },
  phone: {
    called: 'cancellation of an order',
    fieldWords,
    view({ order, protects, ...rest }) {
      const details = openOrderDetails(order);
      return {
        headline: `Cancel the order to ${lowercaseFirst(detailsHeadline(details))}`,
        terms: `${detailsTerms(details)}${protects ? '. This order protects a position: without it, you could lose more.' : ''}`,
        fields: [
          ...openOrderFields(order),
          ...toDetailFields({ protects: protects ? 'Yes' : 'No', ...rest }, fieldWords),
        ],
      };
    },
  },
});
