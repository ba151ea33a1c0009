import type { Outcome } from '../../approval/asking-port.ts';
import type { ProposalDetails } from '../../approval/details.ts';
import { messageDraftSchema } from '../../trading/message.ts';
import { type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import {
  cancelSubjectSchema,
  liftSubjectSchema,
  type ProposalKind,
  replaceSubjectSchema,
} from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import {
  environmentOf,
  fieldLabel,
  type OrderField,
  orderFields,
  orderHeadline,
  orderTerms,
} from './order-fields.ts';

/** What a person is shown of a proposal, on a page or in a terminal. Texts alone: nothing in them is markup. */
export interface ProposalView {
  readonly kind: ProposalKind;
  /** Whose money it moves; undefined where none moves. */
  readonly environment: string | undefined;
  /** `Buy 5 AAPL` */
  readonly headline: string;
  /** `Limit order at $180.00 · Day` */
  readonly terms: string;
  /** The worst that can come of it. */
  readonly total: string | undefined;
  /** Company, effect on cash and position. */
  readonly shows: readonly Line[];
  readonly warnings: readonly string[];
  /** `chat, by trade-agent` */
  readonly askedBy: string;
  /** The fields that stand in no words of the person's, and where they come from. */
  readonly origins: readonly Line[];
  /** The person's words that it was read from. */
  readonly sentence: string | undefined;
  /** Outside text that had entered the conversation. */
  readonly tainted: string | undefined;
  /** `Again, the second time within the hour` */
  readonly again: string | undefined;
  /** All of it, none left out. */
  readonly fields: readonly OrderField[];
}

export interface Line {
  readonly label: string;
  readonly text: string;
}

/** A subject as its kind shows it. */
type SubjectView = Pick<ProposalView, 'environment' | 'headline' | 'terms' | 'fields'>;

/** Pure: the same details, the same view. Never throws: a subject of another shape is shown field by field. */
export function proposalView(details: ProposalDetails): ProposalView {
  const { kind, worst_case, provenance, requested_by, client } = details;
  const subject = subjectView(kind, details.subject);
  return {
    kind,
    environment: subject.environment,
    headline: seen(subject.headline),
    terms: seen(subject.terms),
    total: worst_case === null ? undefined : seen(worst_case.text),
    shows: Object.entries(details.shows).map(([label, text]) => ({ label: seen(label), text: seen(text) })),
    warnings: details.warnings.map(seen),
    askedBy: seen(requested_by === null ? client : `${requested_by}, by ${client}`),
    origins: Object.entries(provenance?.fields ?? {})
      .filter(([, { source }]) => source === 'computed' || source === 'other')
      .map(([name, { source, from }]) => {
        const where = source === 'computed' ? 'worked out' : 'not in your words';
        return { label: fieldLabel(name), text: seen(from === undefined ? where : `${where}: ${from}`) };
      }),
    sentence: provenance?.sentence === undefined ? undefined : seen(provenance.sentence),
    tainted:
      provenance?.tainted_by === undefined || provenance.tainted_by.length === 0
        ? undefined
        : seen(provenance.tainted_by.join(', ')),
    again:
      details.again === undefined || details.again < 2
        ? undefined
        : `Again, the ${ordinal(details.again)} time within the hour`,
    fields: [...subject.fields, ...proposalFields(details)].map((field) => ({
      ...field,
      text: field.name === 'text' ? field.text : seen(field.text),
    })),
  };
}

/** What the gateway told of it, in a few words: `filled 5 at $180.12`, `refused: price moved`. */
export function outcomeText({ state, text }: Outcome): string {
  const words: Record<Outcome['state'], [alone: string, before: string]> = {
    executing: ['sending …', ''],
    executed: ['done', ''],
    cancelled: ['withdrawn, nothing came of it', 'withdrawn: '],
    expired: ['too late, nothing came of it', 'too late: '],
    blocked: ['refused', 'refused: '],
    unknown: ['nobody knows yet whether it was carried out', 'outcome unknown: '],
  };
  const [alone, before] = words[state];
  const told = seen(text);
  // The gateway may have said it in the same words.
  return told === '' ? alone : told.startsWith(before.slice(0, -2)) ? told : `${before}${told}`;
}

function subjectView(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  switch (kind) {
    case 'order': {
      const order = orderDraftSchema.safeParse(subject).data;
      return order === undefined ? unknownSubject(kind, subject) : orderView(order);
    }
    case 'message': {
      const message = messageDraftSchema.safeParse(subject).data;
      return message === undefined
        ? unknownSubject(kind, subject)
        : {
            environment: undefined,
            headline: orderHeadline(message),
            terms: orderTerms(message),
            fields: orderFields(message),
          };
    }
    case 'cancel': {
      const cancel = cancelSubjectSchema.safeParse(subject).data;
      if (cancel === undefined) return unknownSubject(kind, subject);
      const { order, protects, ...rest } = cancel;
      return {
        environment: cancel.environment,
        headline: `Cancel: ${orderHeadline(ofOrder(order))}`,
        terms: `${orderTerms(ofOrder(order))}${protects ? '. It protects a position: without it more can be lost' : ''}`,
        fields: [...openOrderFields(order), ...orderFields({ protects: protects ? 'Yes' : 'No', ...rest })],
      };
    }
    case 'replace': {
      const replace = replaceSubjectSchema.safeParse(subject).data;
      if (replace === undefined) return unknownSubject(kind, subject);
      const { order, changes, draft } = replace;
      const before = textsOf(orderFields(ofOrder(order)));
      const changed = orderFields(changes).map((field) => ({
        ...field,
        name: `changes.${field.name}`,
        label: `${field.label}, changed`,
        text: `${before.get(field.name) ?? 'none'} → ${field.text}`,
      }));
      return {
        environment: draft.environment,
        headline: `Change: ${orderHeadline(ofOrder(order))}`,
        terms: changed.map(({ text }, index) => `${orderFields(changes)[index]?.label}: ${text}`).join(' · '),
        fields: [...changed, ...orderView(draft).fields, ...openOrderFields(order)],
      };
    }
    case 'lift': {
      const lift = liftSubjectSchema.safeParse(subject).data;
      return lift === undefined
        ? unknownSubject(kind, subject)
        : {
            environment: undefined,
            headline: 'Let trading go on',
            terms: `It was halted at ${lift.halted_at.replace('T', ' ').replace('Z', ' UTC')}`,
            fields: orderFields(lift),
          };
    }
  }
}

function orderView(order: OrderDraft): SubjectView {
  const flat = flatOrder(order);
  return {
    environment: environmentOf(order),
    headline: orderHeadline(flat),
    terms: orderTerms(flat),
    fields: orderFields(flat).map((field) => ({
      ...field,
      name: field.name === 'order_type' ? 'type' : field.name,
    })),
  };
}

/** The fields as flat details name them, where `type` is RFC 9396's. */
function flatOrder({ type, ...rest }: OrderDraft): Record<string, unknown> {
  return { ...rest, order_type: type };
}

/** An order at the broker in the same words; what it doesn't have is left out. */
function ofOrder({ type, ...rest }: Order): Record<string, unknown> {
  const all = { ...rest, order_type: type };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function openOrderFields(order: Order): OrderField[] {
  return orderFields(ofOrder(order)).map((field) => ({
    ...field,
    name: `order.${field.name === 'order_type' ? 'type' : field.name}`,
    label: `Open order: ${field.label}`,
  }));
}

function unknownSubject(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  const fields = orderFields(subject);
  // Whatever is not known to be paper is shown as live.
  const environment = environmentOf(subject) ?? 'unknown';
  return { environment, headline: `Unknown ${kind}`, terms: 'Read every field below.', fields };
}

/** What the details have beside the subject: shown too, below. */
function proposalFields(details: ProposalDetails): OrderField[] {
  const { type, actions, locations, identifier, proposal, digest } = details;
  return orderFields({ type, actions, locations, identifier, proposal, digest }).map((field) => ({
    ...field,
    name: `details.${field.name}`,
    technical: true,
  }));
}

function textsOf(fields: readonly OrderField[]): Map<string, string> {
  return new Map(fields.map(({ name, text }) => [name, text]));
}

function ordinal(count: number): string {
  const words = ['second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
  return words[count - 2] ?? `${count}.`;
}

/** Characters that show as nothing, or make the rest show as something else, made visible. */
function seen(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
