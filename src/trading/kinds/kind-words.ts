import { z } from 'zod';
import type { ApprovalScope, ProposeScope } from '../../oauth/scopes.ts';
import type { DetailField, FieldWords } from '../detail-fields.ts';
import type { MandateResult } from '../mandate/granted.ts';
import type { SentMessage } from '../message.ts';
import type { Environment } from '../order.ts';
import type { ProposalState } from '../proposal-state.ts';
import { type Order, orderSchema } from '../views.ts';

/** The outcome of one order of a batch: placed, refused, or not sent because another was refused. */
export const batchLineSchema = z.lazy(() =>
  z.object({
    client_order_id: z.string(),
    outcome: z.enum(['placed', 'refused', 'not_sent']),
    order: orderSchema.optional(),
    /** Why the order was refused: the gateway's problem code and a sentence. */
    reason: z.object({ code: z.string(), text: z.string() }).optional(),
  }),
);
export type BatchLine = z.output<typeof batchLineSchema>;

export interface KindOutcome {
  readonly placed?: Order | undefined;
  readonly sent?: SentMessage | undefined;
  readonly lines?: readonly BatchLine[] | undefined;
  readonly granted?: MandateResult | undefined;
}

export function outcomeOrders({ placed, lines = [] }: KindOutcome): Order[] {
  return [placed, ...lines.map(({ order }) => order)].filter((order) => order !== undefined);
}

export interface KindPhrases {
  /** Sentence for a proposal that had no effect: `Nothing was traded.` */
  readonly nothing: string;
  /** Completes `It is not … a second time.`, such as `placed`. */
  readonly twice: string;
  /** Completes `Do not … again until then.`, such as `place the order`. */
  readonly again: string;
  inProgress(id: string, summary: string): string;
  /** Words for the states that are described differently from the states of an order. */
  readonly status: Partial<Readonly<Record<ProposalState, string>>>;
}

export interface Banner {
  readonly sign: string;
  readonly word: string;
  readonly what: string;
}

export interface PhoneView {
  /** The headline, such as `Buy 5 AAPL`. */
  readonly headline: string;
  /** The terms, such as `Limit order at $180.00 · Day`. */
  readonly terms: string;
  /** The order's side, if the proposal places an order. The phone shows the side by color, sign and position. */
  readonly side?: 'buy' | 'sell' | undefined;
  readonly fields: readonly DetailField[];
}

/**
 * The declarative part of a kind of proposal: the schemas of its request, subject and result, and the words that
 * display each of them. The kind's behavior is in `approval/kinds/<kind>/kind.ts`. To add a kind, add a file in this
 * folder and a line in `kinds.ts`, which the terminal, phone, JSON, schemas, gateway and identity provider use.
 * `lift.ts` is the shortest file to copy.
 */
export interface KindDefinition<
  Name extends string = string,
  RequestSchema extends z.ZodType = z.ZodType,
  SubjectSchema extends z.ZodType = z.ZodType,
  ResultSchema extends z.ZodType = z.ZodType,
> {
  readonly name: Name;
  /** The kind's RFC 9396 type. An identity provider may use another name for this type. */
  readonly detailsType: string;
  /** The action that the approval's token allows (RFC 9396 `actions`). */
  readonly action: string;
  /** The scope of the approval's token. The token allows nothing else at the gateway. */
  readonly scope: ApprovalScope;
  readonly proposeScope: ProposeScope;
  readonly passesHalt: boolean;
  readonly requestSchema: RequestSchema;
  readonly subjectSchema: SubjectSchema;
  readonly resultSchema: ResultSchema;
  /** Checks the rules that the schema can't express, before the phone shows the subject. @throws {TradeAgentError} */
  check(subject: z.output<SubjectSchema>): void;
  /** Returns the environment in which the subject moves money. Absent for kinds that move no money. */
  environment?(subject: z.output<SubjectSchema>): Environment;
  /** The approving mandate, or undefined if the owner is asked. Absent for kinds without mandates. */
  mandate?(subject: z.output<SubjectSchema>): string | undefined;
  /** Summarizes the subject in one line for the model and for errors: `BUY 5 AAPL LMT 180.00`. */
  summary(subject: z.output<SubjectSchema>): string;
  toOutcome(result: z.output<ResultSchema>, subject: z.output<SubjectSchema>): KindOutcome;
  readonly phrases: KindPhrases;
  readonly terminal: {
    /** The kind's name, such as `order`. Shown after PAPER or LIVE if the kind moves money. */
    readonly called: string;
    /** Returns one line: `BUY 5 AAPL, limit $180.00`. */
    headline(subject: z.output<SubjectSchema>): string;
    fields(subject: z.output<SubjectSchema>): [label: string, value: string][];
    /** Returns the details that narrow terminals show beside the headline. */
    brief(subject: z.output<SubjectSchema>): string[];
  };
  readonly phone: {
    /** The kind's name, such as `cancellation of an order`. Shown after PAPER or LIVE if the kind moves money. */
    readonly called: string;
    readonly banner?: Banner;
    /** Whether the fields are above the buttons, so that people read all fields before they decide. */
    readonly fieldsFirst?: boolean;
    /** Whether the worst case is shown at the top as a sentence instead of an amount. */
    readonly worstFirst?: boolean;
    readonly fieldWords: FieldWords;
    view(subject: z.output<SubjectSchema>): PhoneView;
  };
}

/**
 * Returns the kind unchanged. TypeScript infers its types from its schemas.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { toDetailFields } from '../detail-fields.ts';
 * import { ORDER_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
 * import { defineKind } from './kind-words.ts';
 * import { changePhrases } from './phrases.ts';
 *
 * const requestSchema = z.strictObject({ text: z.string().min(1).max(200) });
 * const fieldWords = { text: { label: 'Text' }, client_note_id: { label: 'Note id' } };
 *
 * export const note = defineKind({
 *   name: 'note',
 *   detailsType: 'trading_note',
 *   action: 'note',
 *   scope: ORDER_SCOPE,
 *   proposeScope: PROPOSE_ORDERS_SCOPE,
 *   passesHalt: true,
 *   requestSchema,
 *   subjectSchema: requestSchema.extend({ client_note_id: z.string(), expires_at: z.iso.datetime() }),
 *   resultSchema: z.object({ noted_at: z.string() }),
 *   check: () => {},
 *   summary: ({ text }) => `NOTE ${text}`,
 *   toOutcome: () => ({}),
 *   phrases: changePhrases,
 *   terminal: {
 *     called: 'note',
 *     headline: ({ text }) => `NOTE ${text}`,
 *     fields: ({ text, client_note_id }) => [['note', text], ['id', client_note_id]],
 *     brief: () => [],
 *   },
 *   phone: {
 *     called: 'note',
 *     banner: { sign: '✎', word: 'NOTE', what: 'kept for the record' },
 *     fieldWords,
 *     view: (subject) => ({ headline: 'Note', terms: subject.text, fields: toDetailFields(subject, fieldWords) }),
 *   },
 * });
 * ```
 */
export function defineKind<
  const Name extends string,
  RequestSchema extends z.ZodType,
  SubjectSchema extends z.ZodType,
  ResultSchema extends z.ZodType,
>(
  kind: KindDefinition<Name, RequestSchema, SubjectSchema, ResultSchema>,
): KindDefinition<Name, RequestSchema, SubjectSchema, ResultSchema> {
  return kind;
}
