import { createHash } from 'node:crypto';
import { proposalDetailsSchema } from '../../../approval/details.ts';
import { formatUtcSeconds } from '../../../machine/clock.ts';
import { markInvisibleCharacters, safeLine } from '../../../text/sanitize.ts';
import { detailsEnvironment, detailsHeadline, detailsTerms } from '../../../trading/detail-fields.ts';
import { environmentName } from '../../../trading/environment.ts';
import { kinds } from '../../../trading/kinds/kinds.ts';
import { isMessageDetails, messageView } from '../../../trading/kinds/message.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import { toProposalView } from '../page/proposal-view.ts';

/** How much a lock screen may show: the whole order (`full`), or only that there is an order (`short`). */
export type LockScreenContent = 'full' | 'short';

export interface PushMessage {
  readonly kind: 'ask' | 'settled' | 'fill' | 'access' | 'account' | 'order';
  /**
   * The phone's ID for the request, which opens the request's card and grants no access. Empty for messages that do not
   * concern a request.
   */
  readonly id: string;
  /** Text such as `Buy 5 AAPL · PAPER`. */
  readonly title: string;
  /** Text such as `At most $900.00 in all · Code K7QP`. */
  readonly body: string;
  readonly expires: number;
  /** The same for all messages about a request, so that a later message replaces an earlier one on the screen. */
  readonly tag: string;
  /** Makes the phone ring even if it already shows a notification with this tag. */
  readonly again?: true;
}

/** Maximum lengths in UTF-16 code units. At three bytes per unit, a message with all fields stays below 3 KB. */
export const MAX_TITLE_LENGTH = 160;
export const MAX_BODY_LENGTH = 560;

/** Returns the message that asks for a decision. If there is no code, the person must choose the code on the phone. */
export function createApprovalRequestMessage(
  request: ApprovalRequest,
  content: LockScreenContent,
  again = false,
): PushMessage {
  const { title, body } = content === 'full' ? fullText(request) : shortText(request);
  return { ...messageBase(request), kind: 'ask', title, body, ...(again ? { again: true } : {}) };
}

export function createSettledRequestMessage(request: ApprovalRequest): PushMessage {
  const words = { approved: 'Decided', denied: 'Decided', expired: 'Expired', withdrawn: 'Withdrawn' };
  const title = request.status === 'pending' ? 'Decided' : words[request.status];
  return { ...messageBase(request), kind: 'settled', title, body: '' };
}

/**
 * Returns a topic (RFC 8030 §5.4, at most 32 characters). A later push replaces an undelivered push with the same
 * topic.
 */
export function pushTopic(name: string): string {
  return createHash('sha256').update(`trade-agent.push\0${name}`).digest('base64url').slice(0, 24);
}

function messageBase(request: ApprovalRequest): Pick<PushMessage, 'id' | 'expires' | 'tag'> {
  return { id: request.id, expires: request.expiresAt, tag: pushTopic(request.id) };
}

function shortText(request: ApprovalRequest): { title: string; body: string } {
  const isOrder = requestKind(request) === 'order';
  return { title: isOrder ? 'An order needs your approval' : 'A request needs your approval', body: '' };
}

function fullText(request: ApprovalRequest): { title: string; body: string } {
  const { headline, word, terms } = displayedRequest(request);
  return {
    title: safeLine(word === undefined ? headline : `${headline} · ${word}`, MAX_TITLE_LENGTH),
    body: safeLine(request.code === '' ? terms : `${terms} · Code ${request.code}`, MAX_BODY_LENGTH),
  };
}

function requestKind({ details }: ApprovalRequest): string {
  if (details.proposal === undefined) return isMessageDetails(details) ? 'message' : 'order';
  return proposalDetailsSchema.safeParse(details).data?.kind ?? 'unknown';
}

function displayedRequest({ details }: ApprovalRequest): {
  headline: string;
  word: string | undefined;
  terms: string;
} {
  const proposal = details.proposal === undefined ? undefined : proposalDetailsSchema.safeParse(details).data;
  if (proposal !== undefined) {
    const view = toProposalView(proposal);
    const word =
      view.environment === undefined ? kinds[view.kind].phone.banner?.word : environmentName(view.environment);
    return { headline: view.headline, word, terms: view.total ?? view.terms };
  }
  if (isMessageDetails(details)) {
    const { headline, terms } = messageView(details);
    return {
      headline: markInvisibleCharacters(headline),
      word: kinds.message.phone.banner?.word,
      terms: markInvisibleCharacters(terms),
    };
  }
  return {
    headline: markInvisibleCharacters(detailsHeadline(details)),
    word: environmentName(detailsEnvironment(details)),
    terms: markInvisibleCharacters(detailsTerms(details)),
  };
}

/** Returns the text for channels other than push, with the code and the address of the phone page. */
export function createApprovalNoticeText(
  request: ApprovalRequest,
  content: LockScreenContent,
  phone: string,
): { title: string; body: string; order?: string } {
  const { title, body } = content === 'full' ? fullText(request) : shortText(request);
  const { code } = request;
  const first = content === 'full' ? body : code === '' ? 'Pending' : `Code ${code}`;
  return {
    title: `Check your phone: ${title}`,
    body: [
      `${first}, until ${formatUtcSeconds(request.expiresAt)}.`,
      `Approve it on your phone only if it shows ${code === '' ? '' : 'this code and '}what you want: ${phone}`,
    ].join('\n'),
    ...(content === 'full' ? { order: title } : {}),
  };
}
