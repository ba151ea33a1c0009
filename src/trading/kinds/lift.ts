import { z } from 'zod';
import { detailFields, type FieldWords } from '../detail-fields.ts';
import { ORDER_SCOPE, PROPOSE_ORDERS } from '../scopes.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

/** Trading that a halt stopped is to go on. */
const subjectSchema = z.lazy(() =>
  z.strictObject({
    halted_at: z.string(),
    client_lift_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type LiftSubject = z.output<typeof subjectSchema>;

const resultSchema = z.lazy(() => z.object({ lifted_at: z.string() }));
export type Lifted = z.output<typeof resultSchema>;

const HEADLINE = 'LIFT THE HALT: trading goes on';

const fieldWords: FieldWords = { client_lift_id: { label: 'Lift id' }, halted_at: { label: 'Halted at' } };

/** Ending a halt. */
export const lift = defineKind({
  name: 'lift',
  detailsType: 'trading_lift',
  action: 'lift',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS,
  passesHalt: true,
  requestSchema: z.lazy(() => z.strictObject({})),
  subjectSchema,
  resultSchema,
  check: () => {},
  summary: () => 'LIFT THE HALT',
  came: () => ({}),
  phrases: changePhrases,
  terminal: {
    called: 'halt',
    headline: () => HEADLINE,
    fields: ({ halted_at }) => [
      ['what', HEADLINE],
      ['halted', halted_at],
    ],
    brief: () => [],
  },
  phone: {
    called: 'end of a halt',
    banner: { sign: '▶', word: 'TRADING', what: 'what was halted goes on' },
    fieldWords,
    view: (subject) => ({
      headline: 'Let trading go on',
      terms: `It was halted at ${subject.halted_at.replace('T', ' ').replace('Z', ' UTC')}`,
      fields: detailFields(subject, fieldWords),
    }),
  },
});
