import { z } from 'zod';
import { MANDATE_SCOPE, ORDER_SCOPE } from '../../oauth/scopes.ts';
import { capitalize } from '../../text/first-letter.ts';
import { type FieldWords, toDetailFields } from '../detail-fields.ts';
import { checkMandate, mandateEnvelopeSchema, mandateRequestSchema } from '../mandate/envelope.ts';
import { mandateResultSchema } from '../mandate/granted.ts';
import {
  describeCoveredOrders,
  describeMandateAmounts,
  describeMandateTimes,
  formatPriceBands,
  mandateFields,
  mandateHeadline,
} from '../mandate/mandate-words.ts';
import { describeStandingOrder } from '../mandate/standing-order-words.ts';
import { formatDollars } from '../order-fields.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

const subjectSchema = z.lazy(() =>
  mandateEnvelopeSchema.unwrap().extend({ approve_by: z.iso.datetime({ precision: 0 }) }),
);
export type MandateSubject = z.output<typeof subjectSchema>;

const fieldWords: FieldWords = {
  standing: { label: 'Standing order' },
  symbols: { label: 'Symbols' },
  sides: { label: 'Sides' },
  max_order_notional: { label: 'Maximum per order', shown: formatDollars },
  max_day_notional: { label: 'Maximum per day', shown: formatDollars },
  max_total_notional: { label: 'Maximum total', shown: formatDollars },
  max_orders: { label: 'Maximum orders' },
  cadence: { label: 'How often' },
  orders_per_slot: { label: 'Orders per period' },
  order_types: { label: 'Order types' },
  times_in_force: { label: 'Time in force' },
  price: { label: 'Price range' },
  currency: { label: 'Currency' },
  not_before: { label: 'Starts' },
  expires_at: { label: 'Ends' },
  approve_by: { label: 'Approve by' },
  replaces: { label: 'Replaces' },
  mandate_id: { label: 'Mandate' },
  policy: { label: 'Rules digest', technical: true },
  agent_jkt: { label: 'Key thumbprint', technical: true },
};

export const mandate = defineKind({
  name: 'mandate',
  detailsType: 'trading_mandate',
  action: 'place',
  scope: ORDER_SCOPE,
  proposeScope: MANDATE_SCOPE,
  passesHalt: false,
  requestSchema: mandateRequestSchema,
  subjectSchema,
  resultSchema: mandateResultSchema,
  check: checkMandate,
  environment: ({ environment }) => environment,
  summary: (terms) => `MANDATE ${mandateHeadline(terms)}`,
  toOutcome: (granted) => ({ granted }),
  phrases: {
    ...changePhrases,
    nothing: 'No mandate was granted.',
    twice: 'granted',
    again: 'ask for the mandate',
    inProgress: (id, summary) => `approval ${id} (${summary}) may have been granted already`,
    status: { ...changePhrases.status, executing: 'being granted', executed: 'granted' },
  },
  terminal: {
    called: 'mandate',
    headline: (terms) => `MANDATE ${mandateHeadline(terms)}`,
    fields: mandateFields,
    brief: (terms) => [describeCoveredOrders(terms), terms.account],
  },
  phone: {
    called: 'mandate',
    worstFirst: true,
    fieldWords,
    view(subject) {
      const { price, standing } = subject;
      const often = describeMandateTimes(subject);
      return {
        headline: `${describeCoveredOrders(subject)} without asking again`,
        terms: [
          capitalize(describeMandateAmounts(subject)),
          often,
          subject.order_types.join(', '),
          ...(price === undefined ? [] : [formatPriceBands(price)]),
        ].join(' · '),
        fields: toDetailFields(
          {
            ...subject,
            cadence: often,
            ...(price === undefined ? {} : { price: formatPriceBands(price) }),
            ...(standing === undefined ? {} : { standing: describeStandingOrder(standing) }),
          },
          fieldWords,
        ),
      };
    },
  },
});
