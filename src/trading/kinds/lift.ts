import { z } from 'zod';
import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { type FieldWords, toDetailFields } from '../detail-fields.ts';
import { defineKind } from './kind-words.ts';
import { changePhrases } from './phrases.ts';

const subjectSchema = z.lazy(() =>
  z.strictObject({
    halted_at: z.string(),
    /** The trading state to end. Absent for a halt. */
    state: z.literal('reducing').optional(),
    client_lift_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type LiftSubject = z.output<typeof subjectSchema>;

const resultSchema = z.lazy(() => z.object({ lifted_at: z.string() }));
export type LiftResult = z.output<typeof resultSchema>;

const liftHeadline = ({ state }: LiftSubject) =>
  state === 'reducing' ? 'ALLOW BUYING AGAIN: positions can grow' : 'LIFT THE HALT: trading resumes';

const fieldWords: FieldWords = {
  client_lift_id: { label: 'Lift ID' },
  halted_at: { label: 'Since' },
  state: { label: 'Ends', shown: (value) => (value === 'reducing' ? 'Reduce-only' : value) },
};

export const lift = defineKind({
  name: 'lift',
  detailsType: 'trading_lift',
  action: 'lift',
  scope: ORDER_SCOPE,
  proposeScope: PROPOSE_ORDERS_SCOPE,
  passesHalt: true,
  // Optional, because the request has no fields: it ends the active halt or restriction.
  requestSchema: z.lazy(() => z.strictObject({}).default({})),
  subjectSchema,
  resultSchema,
  check: () => {},
  summary: () => 'LIFT THE HALT',
  toOutcome: () => ({}),
  phrases: changePhrases,
  terminal: {
    called: 'halt',
    headline: liftHeadline,
    fields: (subject) => [
      ['what', liftHeadline(subject)],
      [subject.state ?? 'halted', subject.halted_at],
    ],
    brief: () => [],
  },
  phone: {
    called: 'end of a halt',
    banner: { sign: '▶', word: 'TRADING', what: 'resumes after a halt' },
    fieldWords,
    view: (subject) => ({
      headline: subject.state === 'reducing' ? 'Allow buying again' : 'Resume trading',
      terms: `${subject.state === 'reducing' ? 'Reduce-only since' : 'Trading was halted at'} ${subject.halted_at.replace('T', ' ').replace('Z', ' UTC')}`,
      fields: toDetailFields(subject, fieldWords),
    }),
  },
});
