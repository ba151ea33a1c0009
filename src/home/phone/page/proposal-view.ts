import type { Outcome } from '../../../approval/ciba/ciba-port.ts';
import type { ProposalDetails } from '../../../approval/details.ts';
import { markInvisibleCharacters } from '../../../text/sanitize.ts';
import { formatDollarAmount } from '../../../trading/amounts.ts';
import { type DetailField, detailsEnvironment, fieldLabel, toDetailFields } from '../../../trading/detail-fields.ts';
import { cashBoundWords } from '../../../trading/fee-words.ts';
import { chosenByAiWarning, fieldsChosenByAi } from '../../../trading/kinds/chosen-by-ai.ts';
import type { PhoneView } from '../../../trading/kinds/kind-words.ts';
import { getKindDefinition, kinds, type ProposalKind } from '../../../trading/kinds/kinds.ts';

/** The displayed form of a proposal, for a page or a terminal. All members are plain text, never markup. */
export interface ProposalView {
  readonly kind: ProposalKind;
  /** The environment of the account. Undefined if no money moves. */
  readonly environment: string | undefined;
  /** Text such as `Buy 5 AAPL`. */
  readonly headline: string;
  /** Text such as `Limit order at $180.00 · Day`. */
  readonly terms: string;
  readonly side: 'buy' | 'sell' | undefined;
  /** The maximum cost or minimum proceeds, such as `$900.00`. Undefined if the cost has no bound or no money moves. */
  readonly amount: string | undefined;
  /** How the amount bounds the cost: `at most`, or `at most, plus fees`. */
  readonly bound: string;
  readonly total: string | undefined;
  readonly shows: readonly LabeledText[];
  readonly warnings: readonly string[];
  /** Text such as `trade-agent (chat)`. */
  readonly askedBy: string;
  /** Text such as `Chosen by the AI, not by you: symbol`. Undefined if the AI chose no field. */
  readonly chosenByAi: string | undefined;
  /** The fields that a rule calculated or another person chose, with an explanation. */
  readonly origins: readonly LabeledText[];
  readonly sentence: string | undefined;
  readonly tainted: string | undefined;
  /** Text such as `Second identical request in the last hour`. */
  readonly again: string | undefined;
  readonly fields: readonly DetailField[];
}

interface LabeledText {
  readonly label: string;
  readonly text: string;
}

type SubjectView = PhoneView & Pick<ProposalView, 'environment'>;

/** Returns the view of a proposal. Never throws: a subject of unknown shape is shown field by field. */
export function toProposalView(details: ProposalDetails): ProposalView {
  const { kind, worst_case, provenance, requested_by, client } = details;
  const subject = subjectView(kind, details.subject);
  return {
    kind,
    environment: subject.environment,
    headline: markInvisibleCharacters(subject.headline),
    terms: markInvisibleCharacters(subject.terms),
    side: subject.side,
    amount: worst_case === null || worst_case.cash === null ? undefined : formatDollarAmount(worst_case.cash),
    bound: cashBoundWords(subject.side, details.subject),
    total: worst_case === null ? undefined : markInvisibleCharacters(worst_case.text),
    shows: Object.entries(details.shows).map(([label, text]) => ({
      label: markInvisibleCharacters(label),
      text: markInvisibleCharacters(text),
    })),
    warnings: details.warnings.map(markInvisibleCharacters),
    askedBy: markInvisibleCharacters(requested_by === null ? client : `${client} (${requested_by})`),
    chosenByAi: markedOrNone(chosenByAiWarning(kind, fieldsChosenByAi(provenance))),
    origins: Object.entries(provenance?.fields ?? {})
      .filter(([, { source, from }]) => source === 'computed' || (source === 'other' && from !== undefined))
      .map(([name, { source, from }]) => {
        const how = source === 'computed' ? 'calculated' : 'chosen by';
        const separator = source === 'computed' ? ' from ' : ' ';
        return {
          label: fieldLabel(name, kinds[kind].phone.fieldWords),
          text: markInvisibleCharacters(from === undefined ? how : `${how}${separator}${from}`),
        };
      }),
    sentence: provenance?.sentence === undefined ? undefined : markInvisibleCharacters(provenance.sentence),
    tainted:
      provenance?.tainted_by === undefined || provenance.tainted_by.length === 0
        ? undefined
        : markInvisibleCharacters(provenance.tainted_by.join(', ')),
    again: details.again === undefined || details.again < 2 ? undefined : repetitionText(details.again),
    fields: [...subject.fields, ...proposalFields(details)].map((field) => ({
      ...field,
      text: field.name === 'text' ? field.text : markInvisibleCharacters(field.text),
    })),
  };
}

function markedOrNone(text: string | undefined): string | undefined {
  return text === undefined ? undefined : markInvisibleCharacters(text);
}

export function outcomeText({ state, text }: Outcome): string {
  const words: Record<Outcome['state'], [alone: string, before: string]> = {
    executing: ['sending…', ''],
    executed: ['done', ''],
    cancelled: ['withdrawn, nothing was done', 'withdrawn: '],
    expired: ['too late, nothing was done', 'too late: '],
    blocked: ['refused', 'refused: '],
    unknown: ['not known yet whether it was carried out', 'outcome unknown: '],
  };
  const [alone, before] = words[state];
  const told = markInvisibleCharacters(text);
  // The gateway's text may start with the same words.
  return told === '' ? alone : told.startsWith(before.slice(0, -2)) ? told : `${before}${told}`;
}

function subjectView(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  const { subjectSchema, environment, phone } = getKindDefinition(kind);
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) return unknownSubject(kind, subject);
  return { environment: environment?.(parsed.data), ...phone.view(parsed.data) };
}

function unknownSubject(kind: ProposalKind, subject: ProposalDetails['subject']): SubjectView {
  const fields = toDetailFields(subject, kinds[kind].phone.fieldWords);
  // Everything that is not known to be paper is shown as live.
  const environment = detailsEnvironment(subject) ?? 'unknown';
  return { environment, headline: `Unknown ${kind}`, terms: 'Read every field below.', fields };
}

function proposalFields(details: ProposalDetails): DetailField[] {
  const { type, actions, locations, identifier, proposal, digest } = details;
  return toDetailFields({ type, actions, locations, identifier, proposal, digest }).map((field) => ({
    ...field,
    name: `details.${field.name}`,
    technical: true,
  }));
}

function repetitionText(count: number): string {
  const words = ['Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth', 'Ninth', 'Tenth'];
  const word = words[count - 2];
  return word === undefined
    ? `${count} identical requests in the last hour`
    : `${word} identical request in the last hour`;
}
