import { html } from 'hono/html';
import { detailsTypeByKind, type ProposalDetails, proposalDigest } from '../../../approval/details.ts';
import { describeOrderState } from '../../../approval/kinds/order/kind.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import type { AuditEvent } from '../../../store/audit.ts';
import { markInvisibleCharacters } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import { describeBatchOutcome } from '../../../trading/kinds/batch.ts';
import type { KindOutcome } from '../../../trading/kinds/kind-words.ts';
import { getKindDefinition, kinds } from '../../../trading/kinds/kinds.ts';
import { orderStatusWords } from '../../../trading/kinds/phrases.ts';
import { isInProgressState, isSettledState, type Proposal } from '../../../trading/proposal.ts';
import type { RecordLine } from '../../../trading/record-line.ts';
import { defined } from '../../../values/defined.ts';
import { withLocalTimes } from '../decision/local-time.ts';
import { type RequestView, requestView } from '../decision/request-view.ts';
import { type IconName, renderEnvironmentMark, renderIcon } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';
import type { RequestPanel } from '../web/chat-events.ts';
import { formatToSecond } from './orders-part.ts';

export interface ProposalFormOptions {
  readonly path: string;
  readonly formToken: string;
  /** Whether to hide the codes of pending proposals, because a person who decides here must read them elsewhere. */
  readonly hidesCodes: boolean;
}

/** Renders the proposals. @param record the person's audit entries; undefined if they can't be read */
export function renderProposalsPart(
  proposals: readonly Proposal[],
  record: readonly RecordLine[] | undefined,
  form: ProposalFormOptions,
): Markup {
  if (proposals.length === 0)
    return html`<p class="soft none" data-testid="no-proposals">No proposals yet. To get one, tell your agent what to buy or sell, for example <span class="mono">buy 1 SPY</span></p>`;
  return html`<ul class="stories" data-testid="proposals">${proposals.map((one) => proposalItem(one, record, form))}</ul>`;
}

function proposalItem(
  proposal: Proposal,
  record: readonly RecordLine[] | undefined,
  form: ProposalFormOptions,
): Markup {
  const view = displayedView(proposal);
  const { id, state } = proposal;
  const [drawn, word] = stateWords[state];
  const came = proposalOutcome(proposal);
  const isDecided = isSettledState(state) || isInProgressState(state);
  return html`<li data-testid="proposal" data-id="${id}" data-state="${state}"><details data-keep="${id}">
<summary><span>${view.side === undefined ? '' : html`<span class="${view.side}">${renderIcon(view.side)}</span> `}<strong class="words">${view.headline}</strong> ${renderEnvironmentMark(view)}</span>
<span class="outcome ${drawn}">${renderIcon(drawn)}${word}</span>
<span class="soft small terms">${view.terms === '' ? '' : html`${withLocalTimes(view.terms)} · `}${withLocalTimes(formatToSecond(proposal.created_at))}</span></summary>
${came === '' ? '' : html`<p data-testid="came">${withLocalTimes(came)}</p>`}
${view.total === undefined ? '' : html`<p class="small soft">${view.total}</p>`}
${requesterInfo(proposal, view)}
${stepList(proposal, record)}
${signatureLine(proposal, record)}
<dl class="small fields">${view.fields
    .filter(({ technical }) => !technical)
    .map(
      ({ label, text }) => html`<div><dt>${label}</dt><dd>${withLocalTimes(text)}</dd></div>`,
    )}${isDecided || !form.hidesCodes ? html`<div><dt>Code</dt><dd class="mono">${proposal.code}</dd></div>` : ''}<div><dt>Proposal</dt><dd class="mono">${id}</dd></div></dl>
${isDecided ? '' : withdrawForm(proposal, view, form)}
</details></li>`;
}

const stateWords: Readonly<Record<Proposal['state'], readonly [IconName, word: string]>> = {
  drafted: ['wait', 'preparing'],
  requested: ['wait', 'waiting'],
  approved: ['wait', 'approved'],
  executing: ['wait', 'in progress'],
  executed: ['done', 'done'],
  denied: ['no', 'denied'],
  expired: ['late', 'expired'],
  cancelled: ['back', 'withdrawn'],
  blocked: ['no', 'refused'],
  unknown: ['ask', 'unknown'],
};

/** Returns the outcome and its reason, such as `Filled 5 at $180.12.` or `Denied on the phone; nothing was ordered.` */
function proposalOutcome(proposal: Proposal): string {
  const { kind, state, reason, subject, result } = proposal;
  const words = kinds[kind].phrases.status[state] ?? orderStatusWords[state];
  const came = result === undefined ? '' : resultText(getKindDefinition(kind).toOutcome(result as never, subject));
  const outcome = came === '' ? words : came;
  const why = reason?.text ?? '';
  // After a denial, the reason only repeats the state.
  const said = why === '' || outcome.startsWith(why) ? [outcome] : [outcome, why];
  return markInvisibleCharacters(`${said.join(': ')}.`).replace(/^./, (letter) => letter.toUpperCase());
}

function resultText({ placed, lines, sent }: KindOutcome): string {
  if (placed !== undefined) return describeOrderState(placed);
  if (lines !== undefined) return describeBatchOutcome(lines);
  return sent === undefined ? '' : 'sent';
}

function requesterInfo({ provenance, client }: Proposal, view: RequestView): Markup {
  const { askedBy = client, sentence, origins, tainted, warnings } = view;
  return html`<p class="small">Requested by <strong>${markInvisibleCharacters(askedBy)}</strong>${
    sentence === undefined ? '' : html`, in your words: “<bdi>${sentence}</bdi>”`
  }</p>
${
  origins.length > 0
    ? html`<dl class="small origins">${origins.map(({ label, text }) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>`
    : provenance === undefined
      ? ''
      : html`<p class="small soft">Every field is from your words or a default.</p>`
}${tainted === undefined ? '' : html`<p class="note small">The conversation included text from outside: ${tainted}</p>`}${
  warnings.length === 0
    ? ''
    : html`<ul class="small">${warnings.map((text) => html`<li>${withLocalTimes(text)}</li>`)}</ul>`
}`;
}

/** Renders a proposal's states with their times. Without audit entries, renders only the first and the latest. */
function stepList(proposal: Proposal, record: readonly RecordLine[] | undefined): Markup {
  const { id, created_at, updated_at, state } = proposal;
  const lines = (record ?? []).filter((line) => line.proposal === id || line.approval === id).reverse();
  const steps =
    lines.length > 0
      ? lines.map(({ at, event }) => ({ at, words: markInvisibleCharacters(describeAuditEvent(event)) }))
      : [
          { at: created_at, words: describeAuditEvent('proposed') },
          { at: updated_at.split('#')[0] ?? updated_at, words: describeAuditEvent(state) },
        ];
  return html`<ol class="steps" data-testid="steps">${steps.map(
    ({ at, words }) =>
      html`<li><span>${words}</span> <span class="soft small">${withLocalTimes(formatToSecond(at))}</span></li>`,
  )}</ol>`;
}

const keyWords: Readonly<Record<string, string>> = {
  multiDevice: 'a synced passkey',
  singleDevice: 'a single-device passkey',
};

function signatureLine(proposal: Proposal, record: readonly RecordLine[] | undefined): Markup | '' {
  const line = record?.find(({ event, approval }) => event === 'signed' && approval === proposal.id);
  if (line === undefined) return '';
  const { method, device_type: device, digest } = line;
  const key = method === 'webauthn' ? (keyWords[String(device)] ?? 'a passkey') : 'the key of the terminal phone';
  const same = digest === contentDigest(proposal);
  return html`<p class="small ${same ? '' : 'problem'}" data-testid="signed">Signed by ${key}. ${
    same
      ? html`The signature matches this proposal: digest <span class="mono">${contentDigest(proposal).slice(0, 12)}…</span>`
      : 'The signature does NOT match this proposal.'
  }</p>`;
}

function withdrawForm({ id }: Proposal, { headline }: RequestView, { path, formToken }: ProposalFormOptions): Markup {
  return html`<form method="post" action="${path}/withdraw"><input type="hidden" name="form_token" value="${formToken}"><input type="hidden" name="id" value="${id}"><button class="quiet" data-testid="withdraw" data-keep="withdraw-${id}">Withdraw<span class="unseen">: ${headline}</span></button></form>`;
}

const eventTexts: Readonly<Record<AuditEvent, string>> = {
  proposed: 'Proposed',
  requested: 'Approval requested on the phone',
  asked_again: 'Requested again because the response was lost',
  approved: 'Approved',
  approved_by_mandate: 'Approved by a mandate',
  executing: 'Executing',
  not_taken: 'Not accepted by the broker; still approved',
  executed: 'Executed',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Withdrawn',
  blocked: 'Refused',
  unknown: 'Outcome not known yet',
  order_cancelled: 'Order canceled',
  halted: 'Trading halted',
  reducing: 'Trading limited to reducing positions',
  lifted: 'Trading resumed',
  rules_tightened: 'Rules tightened',
  rules_imported: 'Rules replaced on the gateway’s machine',
  signed: 'Signed',
  key_enrolled: 'Key enrolled',
  key_removed: 'Key removed',
  address_changed: 'Home moved to another address',
  access_granted: 'Access granted',
  access_revoked: 'Access revoked',
  signal_received: 'Security event from a company',
  owner_approved: 'Approved by its owner',
  second_requested: 'Second approver asked',
  mandate_granted: 'Mandate granted',
  mandate_replaced: 'Mandate replaced',
  mandate_suspended: 'Mandate suspended',
  mandate_revoked: 'Mandate revoked',
  standing_ordered: 'Standing order placed',
  standing_refused: 'Standing order refused',
  standing_missed: 'Standing order missed its time',
  standing_ended: 'Standing order ended',
  anchored: 'Audit log timestamped up to here',
  orders_recounted: 'Today’s orders recounted because they were dated in the future',
};

/** Describes an audit event. For an event that only a newer gateway has, returns its name with spaces. */
export function describeAuditEvent(event: string): string {
  return Object.hasOwn(eventTexts, event) ? eventTexts[event as AuditEvent] : event.replaceAll('_', ' ');
}

/**
 * Fields that the list omits. Only the gateway and the provider use them, except for the code, which is shown
 * separately.
 */
const HIDDEN_FIELDS: readonly string[] = [
  'code',
  ...['type', 'actions', 'locations', 'identifier'].map((name) => `details.${name}`),
];

/** Returns the details for the phone that the gateway provides about a proposal. */
export function toProposalDetails(proposal: Proposal): ProposalDetails {
  const { kind, id, code, worst_case, warnings, shows = {}, requested_by, client, again } = proposal;
  const { proposed_by, code_entry, policy, provenance = null } = proposal;
  const subject = proposal.subject as Record<string, unknown>;
  return {
    type: detailsTypeByKind[kind],
    locations: [''],
    actions: [kinds[kind].action],
    identifier: '',
    kind,
    proposal: id,
    code,
    digest: contentDigest(proposal),
    expires_at: proposal.expires_at,
    subject,
    worst_case,
    warnings,
    shows,
    requested_by,
    client,
    ...defined({ proposed_by, code_entry, policy }),
    provenance,
    ...defined({ again }),
  };
}

/** Returns the digest of the displayed content. If the person signed other content, the digest is different. */
function contentDigest(proposal: Proposal): string {
  const { provenance = null } = proposal;
  return proposalDigest({ ...proposal, provenance });
}

function displayedView(proposal: Proposal): RequestView {
  const view = requestView({ details: toProposalDetails(proposal) });
  return { ...view, fields: view.fields.filter(({ name }) => !HIDDEN_FIELDS.includes(name)) };
}

/** Returns the chat page's panel for a proposal: the phone's card without buttons, and the state. */
export function toRequestPanel(proposal: Proposal): RequestPanel {
  const { id, state, code, code_entry, expires_at, provenance, client, approval } = proposal;
  const view = displayedView(proposal);
  const { banner, live, side, headline, terms, amount, bound, total, warnings, again, chosenByAi, tainted } = view;
  return {
    id,
    state,
    words: proposalOutcome(proposal),
    isOpen: !isSettledState(state) && !isInProgressState(state),
    isGood: state === 'executed',
    code,
    isCodeTyped: code_entry !== undefined,
    expiresAt: expires_at,
    environment: banner?.word ?? environmentName(view.environment),
    environmentNote: banner?.what ?? (live ? 'real money' : 'simulated money'),
    isLive: live,
    headline,
    terms,
    cautions: [
      ...[chosenByAi, again].filter((text) => text !== undefined),
      ...warnings,
      ...(tainted === undefined ? [] : [`The conversation included text from outside: ${tainted}`]),
    ],
    askedBy: view.askedBy ?? markInvisibleCharacters(client),
    fields: [
      ...view.shows,
      ...view.fields.filter(({ technical }) => !technical).map(({ label, text }) => ({ label, text })),
    ],
    ...defined({
      side,
      amount,
      bound,
      worstCase: total,
      sentence: view.sentence,
      // Omits links other than to https pages or to this machine.
      phoneUrl: approval.phone_url !== undefined && isSecureUrl(approval.phone_url) ? approval.phone_url : undefined,
      origins: provenance === undefined ? undefined : view.origins,
    }),
  };
}
