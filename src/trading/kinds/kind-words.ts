import { z } from 'zod';
import type { ApprovalScope, ProposeScope } from '../../oauth/scopes.ts';
import type { DetailField, FieldWords } from '../detail-fields.ts';
import type { Granted } from '../mandate/granted.ts';
import type { SentMessage } from '../message.ts';
import type { Environment } from '../order.ts';
import type { ProposalState } from '../proposal-state.ts';
import { type Order, orderSchema } from '../views.ts';

/** What came of one order of a batch: it is at the broker, it was refused, or it was not sent since another was. */
export const batchLineSchema = z.lazy(() =>
  z.object({
    client_order_id: z.string(),
    outcome: z.enum(['placed', 'refused', 'not_sent']),
    order: orderSchema.optional(),
    /** Of one that was refused: the gateway's problem code, and a sentence. */
    reason: z.object({ code: z.string(), text: z.string() }).optional(),
  }),
);
export type BatchLine = z.output<typeof batchLineSchema>;

export interface Came {
  readonly placed?: Order | undefined;
  readonly sent?: SentMessage | undefined;
  readonly lines?: readonly BatchLine[] | undefined;
  readonly granted?: Granted | undefined;
}

export function ordersOf({ placed, lines = [] }: Came): Order[] {
  return [placed, ...lines.map(({ order }) => order)].filter((order) => order !== undefined);
}

export interface KindPhrases {
  /** Where nothing came of it: `Nothing was traded.` */
  readonly nothing: string;
  /** `It is not … a second time.` */
  readonly twice: string;
  /** `Do not … again before that.` */
  readonly again: string;
  underWay(id: string, summary: string): string;
  /** What a status means to the person, where it is not said as of an order. */
  readonly status: Partial<Readonly<Record<ProposalState, string>>>;
}

export interface Banner {
  readonly sign: string;
  readonly word: string;
  readonly what: string;
}

export interface PhoneView {
  /** `Buy 5 AAPL` */
  readonly headline: string;
  /** `Limit order at $180.00 · Day` */
  readonly terms: string;
  /** Which way shares go, where it is about an order that would trade: shown by a sign and its place too. */
  readonly side?: 'buy' | 'sell' | undefined;
  readonly fields: readonly DetailField[];
}

/**
 * Everything declarative about one kind of proposal: request, subject, result, and how each is shown. What a kind
 * does is in `approval/kinds/<kind>/kind.ts`. A kind is a file in this folder and a line in `kinds.ts`, which
 * terminal, phone, JSON, schemas, gateway and identity provider use. `lift.ts` is the shortest to copy.
 */
export interface KindWords<
  Name extends string = string,
  RequestSchema extends z.ZodType = z.ZodType,
  SubjectSchema extends z.ZodType = z.ZodType,
  ResultSchema extends z.ZodType = z.ZodType,
> {
  readonly name: Name;
  /** Its RFC 9396 type, where the provider has no name of its own for it. */
  readonly detailsType: string;
  /** What the approval's token may be used for (RFC 9396 `actions`). */
  readonly action: string;
  /** The approval's scope: what its token may do at the gateway, and nothing else. */
  readonly scope: ApprovalScope;
  readonly proposeScope: ProposeScope;
  readonly passesHalt: boolean;
  readonly requestSchema: RequestSchema;
  readonly subjectSchema: SubjectSchema;
  readonly resultSchema: ResultSchema;
  /** Checks what the schema can't, before a phone shows it. @throws {TradeAgentError} */
  check(subject: z.output<SubjectSchema>): void;
  /** Whose money it moves; absent where none moves. */
  environment?(subject: z.output<SubjectSchema>): Environment;
  /** By which mandate it is approved; undefined where its owner is asked. Absent from what no mandate is for. */
  mandate?(subject: z.output<SubjectSchema>): string | undefined;
  /** What is proposed, in one line for the model and for errors: `BUY 5 AAPL LMT 180.00`. */
  summary(subject: z.output<SubjectSchema>): string;
  came(result: z.output<ResultSchema>): Came;
  readonly phrases: KindPhrases;
  readonly terminal: {
    /** After PAPER or LIVE, where money moves: `order`. */
    readonly called: string;
    /** One line: `BUY 5 AAPL, limit $180.00`. */
    headline(subject: z.output<SubjectSchema>): string;
    fields(subject: z.output<SubjectSchema>): [label: string, value: string][];
    /** What is left to say beside the headline, where there is little room. */
    brief(subject: z.output<SubjectSchema>): string[];
  };
  readonly phone: {
    /** After PAPER or LIVE, where money moves: `cancel of an order`. */
    readonly called: string;
    readonly banner?: Banner;
    /** Whether all of it is read before the buttons come. */
    readonly fieldsFirst?: boolean;
    /** Whether the worst that can come of it stands at the top as the sentence that it is, and not as an amount. */
    readonly worstFirst?: boolean;
    readonly fieldWords: FieldWords;
    view(subject: z.output<SubjectSchema>): PhoneView;
  };
}

/**
 * Types a kind by its schemas.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { detailFields } from '../detail-fields.ts';
 * import { ORDER_SCOPE, PROPOSE_ORDERS } from '../../oauth/scopes.ts';
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
 *   proposeScope: PROPOSE_ORDERS,
 *   passesHalt: true,
 *   requestSchema,
 *   subjectSchema: requestSchema.extend({ client_note_id: z.string(), expires_at: z.iso.datetime() }),
 *   resultSchema: z.object({ noted_at: z.string() }),
 *   check: () => {},
 *   summary: ({ text }) => `NOTE ${text}`,
 *   came: () => ({}),
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
 *     view: (subject) => ({ headline: 'Note', terms: subject.text, fields: detailFields(subject, fieldWords) }),
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
  kind: KindWords<Name, RequestSchema, SubjectSchema, ResultSchema>,
): KindWords<Name, RequestSchema, SubjectSchema, ResultSchema> {
  return kind;
}
