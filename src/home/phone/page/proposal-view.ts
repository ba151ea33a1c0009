import type { Outcome } from '../../../approval/asking-port.ts';
import type { ProposalDetails } from '../../../approval/details.ts';
import { markedText } from '../../../text/shown-text.ts';
import { dollars } from '../../../trading/amounts.ts';
import { type DetailField, detailFields, environmentOf, fieldLabel } from '../../../trading/detail-fields.ts';
import { chosenByAi, fieldsChosenByAi } from '../../../trading/kinds/chosen-by-ai.ts';
import type { PhoneView } from '../../../trading/kinds/kind-words.ts';
import { kinds, kindWords, type ProposalKind } from '../../../trading/kinds/kinds.ts';

/** What a person is shown of a proposal, on a page or in a terminal. Texts alone: nothing in them is markup. */
export interface ProposalView {
  readonly kind: ProposalKind;
  /** Whose money it moves; undefined where none moves. */
  readonly environment: string | undefined;
  /** `Buy 5 AAPL` */
  readonly headline: string;
  /** `Limit order at $180.00 · Day` */
  readonly terms: string;
  readonly side: 'buy' | 'sell' | undefined;
  /** The most it can cost or the least it can bring, `$900.00`; undefined where nothing bounds it, or no money moves. */
  readonly amount: string | undefined;
  readonly total: string | undefined;
  readonly shows: readonly Line[];
  readonly warnings: readonly string[];
  /** `chat, by trade-agent` */
  readonly askedBy: string;
  /** `Chosen by the AI, not by you: symbol`; undefined where each field stands in the person's words or follows from them. */
  readonly chosenByAi: string | undefined;
  /** The fields that were worked out, or that somebody other than the person gave, and how. */
  readonly origins: readonly Line[];
  readonly sentence: string | undefined;
  readonly tainted: string | undefined;
  /** `Again, the second time within the hour` */
  readonly again: string | undefined;
  readonly fields: readonly DetailField[];
}

interface Line {
  readonly label: string;
  readonly text: string;
}

type SubjectView = PhoneView & Pick<ProposalView, 'environment'>;

/** Pure: the same details, the same view. Never throws: a subject of another shape is shown field by field. */
export function proposalView(details: ProposalDetails): ProposalView {
  const { kind, worst_case, provenance, requested_by, client } = details;
  const subject = subjectView(kind, details.subject);
  return {
    kind,
    environment: subject.environment,
    headline: markedText(subject.headline),
    terms: markedText(subject.terms),
    side: subject.side,
    amount: worst_case === null || worst_case.cash === null ? undefined : dollars(worst_case.cash),
    total: worst_case === null ? undefined : markedText(worst_case.text),
    shows: Object.entries(details.shows).map(([label, text]) => ({
      label: markedText(label),
      text: markedText(text),
    })),
    warnings: details.warnings.map(markedText),
    askedBy: markedText(requested_by === null ? client : `${requested_by}, by ${client}`),
    chosenByAi: markedOrNone(chosenByAi(kind, fieldsChosenByAi(provenance))),
    origins: Object.entries(provenance?.fields ?? {})
      .filter(([, { source, from }]) => source === 'computed' || (source === 'other' && from !== undefined))
      .map(([name, { source, from }]) => {
        const how = source === 'computed' ? 'worked out' : 'chosen by';
        const separator = source === 'computed' ? ': ' : ' ';
        return {
          label: fieldLabel(name, kinds[kind].phone.fieldWords),
          text: markedText(from === undefined ? how : `${how}${separator}${from}`),
        };
      }),
    sentence: provenance?.sentence === undefined ? undefined : markedText(provenance.sentence),
    tainted:
      provenance?.tainted_by === undefined || provenance.tainted_by.length === 0
        ? undefined
        : markedText(provenance.tainted_by.join(', ')),
    again:
      details.again === undefined || details.again < 2
        ? undefined
        : `Again, the ${ordinal(details.again)} time within the hour`,
    fields: [...subject.fields, ...proposalFields(details)].map((field) => ({
      ...field,
      text: field.name === 'text' ? field.text : markedText(field.text),
    })),
  };
}

function markedOrNone(text: string | undefined): string | undefined {
  return text === undefined ? undefined : markedText(text);
}

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
  const told = markedText(text);
  // The gateway may have said it in the same words.
  return told === '' ? alone : told.startsWith(before.slice(0, -2)) ? told : `${before}${told}`;
}

function subjectView(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  const { subjectSchema, environment, phone } = kindWords(kind);
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) return unknownSubject(kind, subject);
  return { environment: environment?.(parsed.data), ...phone.view(parsed.data) };
}

function unknownSubject(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  const fields = detailFields(subject, kinds[kind].phone.fieldWords);
  // Whatever is not known to be paper is shown as live.
  const environment = environmentOf(subject) ?? 'unknown';
  return { environment, headline: `Unknown ${kind}`, terms: 'Read every field below.', fields };
}

function proposalFields(details: ProposalDetails): DetailField[] {
  const { type, actions, locations, identifier, proposal, digest } = details;
  return detailFields({ type, actions, locations, identifier, proposal, digest }).map((field) => ({
    ...field,
    name: `details.${field.name}`,
    technical: true,
  }));
}

function ordinal(count: number): string {
  const words = ['second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
  return words[count - 2] ?? `${count}.`;
}
