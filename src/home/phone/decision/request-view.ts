import { type ProposalDetails, proposalDetailsSchema } from '../../../approval/details.ts';
import { formatDollarAmount } from '../../../trading/amounts.ts';
import { tradeOrderDetailsSchema } from '../../../trading/approval-details.ts';
import { type DetailField, detailsHeadline, detailsTerms, toDetailFields } from '../../../trading/detail-fields.ts';
import { cashBoundWords } from '../../../trading/fee-words.ts';
import type { Banner } from '../../../trading/kinds/kind-words.ts';
import { getKindDefinition, kinds } from '../../../trading/kinds/kinds.ts';
import { isMessageDetails, messageView } from '../../../trading/kinds/message.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import { computeWorstCase } from '../../../trading/worst-case.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import { toOrderDraft } from '../../identity-provider/approval-subject.ts';
import { outcomeText, type ProposalView, toProposalView } from '../page/proposal-view.ts';

export interface DisplayedField extends DetailField {
  readonly raw: string;
}

/** A request as displayed to a person. All members are plain text, never markup. */
export interface RequestView extends Omit<ProposalView, 'kind' | 'fields' | 'askedBy'> {
  readonly kind: string;
  /** Banner that replaces PAPER or LIVE if the request moves no money. */
  readonly banner: Banner | undefined;
  /** Whether the request moves real money. Also true if this is unknown. */
  readonly live: boolean;
  /** The maximum cost or minimum proceeds. Null if the cost has no upper bound, undefined if no money moves. */
  readonly cash: string | null | undefined;
  /** The broker's number for the account. */
  readonly account: string | undefined;
  readonly symbol: string | undefined;
  /** The action, such as `buy 5 AAPL`, which the Approve and Deny buttons show below their label. */
  readonly act: string;
  /** The requester if the client sent the request on someone's behalf. */
  readonly askedBy: string | undefined;
  /** Whether all fields are shown before the buttons. */
  readonly fieldsFirst: boolean;
  readonly fields: readonly DisplayedField[];
}

export function requestView({ details }: Pick<ApprovalRequest, 'details'>): RequestView {
  const proposal = details.proposal === undefined ? undefined : proposalDetailsSchema.safeParse(details).data;
  return proposal === undefined ? plainView(details) : toRequestView(proposal);
}

/** Describes the outcome, or says that an approved proposal is executing. Otherwise returns an empty string. */
export function summarizeOutcome({ outcome, status, details }: ApprovalRequest): string {
  if (outcome !== undefined) return outcomeText(outcome);
  return status === 'approved' && details.proposal !== undefined ? outcomeText({ state: 'executing', text: '' }) : '';
}

export function lastFourCharacters(account: string | undefined): string | undefined {
  return account === undefined || account.length <= 4 ? undefined : account.slice(-4);
}

function toRequestView(details: ProposalDetails): RequestView {
  const view = toProposalView(details);
  const { banner, fieldsFirst = false, worstFirst = false } = getKindDefinition(view.kind).phone;
  return {
    ...view,
    // Only kinds that move no money have banners. A kind that has neither environment nor banner is shown as live.
    banner: view.environment === undefined ? banner : undefined,
    live: view.environment !== 'paper' && (view.environment !== undefined || banner === undefined),
    amount: worstFirst ? undefined : view.amount,
    cash: details.worst_case === null ? undefined : details.worst_case.cash,
    account: subjectField(details.subject, 'account'),
    symbol: subjectField(details.subject, 'symbol'),
    act: buttonAction(view.headline),
    fieldsFirst,
    fields: view.fields.map((field) => ({ ...field, raw: field.text })),
  };
}

/** Returns the view of an order or message that a client requested directly, without a proposal. */
function plainView({ code: _, ...details }: ApprovalRequest['details']): RequestView {
  const message = isMessageDetails(details);
  const view = message
    ? messageView(details)
    : { headline: detailsHeadline(details), terms: detailsTerms(details), fields: toDetailFields(details) };
  const order = message ? undefined : tradeOrderDetailsSchema.safeParse(details).data;
  const worst: WorstCase | undefined = order === undefined ? undefined : computeWorstCase(toOrderDraft(order));
  return {
    ...view,
    kind: message ? 'message' : 'order',
    environment: message ? undefined : String(details.environment),
    banner: message ? kinds.message.phone.banner : undefined,
    live: !message && details.environment !== 'paper',
    account: subjectField(details, 'account'),
    symbol: subjectField(details, 'symbol'),
    act: buttonAction(view.headline),
    side: order?.side,
    amount: worst?.cash == null ? undefined : formatDollarAmount(worst.cash),
    bound: cashBoundWords(order?.side, order ?? {}),
    total: worst?.text,
    cash: worst?.cash,
    shows: [],
    warnings: [],
    askedBy: undefined,
    chosenByAi: undefined,
    origins: [],
    sentence: undefined,
    tainted: undefined,
    again: undefined,
    fieldsFirst: message,
    fields: view.fields.map((field) => {
      const value = details[field.name];
      return { ...field, raw: typeof value === 'string' ? value : JSON.stringify(value) };
    }),
  };
}

function buttonAction(headline: string): string {
  return `${headline.slice(0, 1).toLowerCase()}${headline.slice(1)}`;
}

/** Reads a field of an order, or of the order that is replaced or canceled. */
function subjectField(subject: Readonly<Record<string, unknown>>, name: 'account' | 'symbol'): string | undefined {
  const { draft } = subject;
  const within = typeof draft === 'object' && draft !== null ? (draft as Record<string, unknown>) : subject;
  const value = within[name];
  return typeof value === 'string' ? value : undefined;
}
