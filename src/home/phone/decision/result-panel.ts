import { html } from 'hono/html';
import type { Outcome } from '../../../approval/ciba/ciba-port.ts';
import { markInvisibleCharacters } from '../../../text/sanitize.ts';
import { formatDollarAmount } from '../../../trading/amounts.ts';
import { contractMultiplier, perUnitWords } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { Markup } from '../page/page.ts';
import { renderLocalTime, withLocalTimes } from './local-time.ts';
import { requestView, summarizeOutcome } from './request-view.ts';
import { type IconName, renderIcon } from './signs.ts';

interface StatusWord {
  readonly sign: IconName;
  readonly word: string;
  /** Whether more updates are expected. */
  readonly open?: boolean;
}

/** The account as reported by the broker right after a fill. */
export interface AccountAfterFill {
  /** Text such as `10 AAPL before, 15 after`. */
  readonly position: string;
  /** Text such as `$24,700.00 after`. */
  readonly cash: string;
}

/**
 * Renders the result, which replaces the card until the person dismisses it.
 * @param why the reason for the denial if the person did not tap Deny
 * @param after the account after a fill
 */
export function renderResultPanel(request: ApprovalRequest, why?: string, after?: AccountAfterFill): Markup {
  const { headline, symbol = '' } = requestView(request);
  const status = requestStatusWord(request);
  const said = why ?? statusSentence(request);
  const fill = parseFillText(request.outcome?.text ?? '', symbol);
  return html`<article class="card result ${status.sign}" data-testid="result" data-id="${request.id}" data-status="${request.status}" data-state="${request.outcome?.state ?? ''}" data-open="${status.open ?? false}" tabindex="-1">
<p class="standing">${renderIcon(status.sign)}<strong data-testid="standing">${status.word}</strong></p>
<p class="headline">${headline}</p>
<p><span data-testid="outcome">${withLocalTimes(said)}</span>${fill === undefined ? '' : html` <span class="soft">· ${fill.total} total</span>`}</p>
${after === undefined ? '' : html`<dl data-testid="after-fill"><div><dt>Position</dt><dd>${markInvisibleCharacters(after.position)}</dd></div><div><dt>Cash</dt><dd>${after.cash}</dd></div></dl>`}
<button type="button" class="quiet" data-put-away data-testid="put-away">Dismiss<span class="unseen">: ${headline}</span></button>
</article>`;
}

export function renderRecentDecisionItem(request: ApprovalRequest, why?: string): Markup {
  const view = requestView(request);
  const came = why ?? summarizeOutcome(request);
  const { sign: drawn, word } = statusWords[request.status];
  return html`<li data-testid="recent" data-id="${request.id}" data-status="${request.status}" data-state="${request.outcome?.state ?? ''}">
<span><span class="words">${view.headline}</span> <span class="soft">${view.banner === undefined ? environmentName(view.environment) : ''}</span>${
    came === '' ? '' : html`<br><span data-testid="recent-outcome">${withLocalTimes(came)}</span>`
  }<br><span class="soft small"><span class="mono">${request.code}</span> · ${renderLocalTime(request.decidedAt ?? request.expiresAt)}</span></span>
<span class="outcome">${renderIcon(drawn)}${word}</span></li>`;
}

export const statusWords: Readonly<Record<ApprovalRequest['status'], StatusWord>> = {
  approved: { sign: 'done', word: 'Approved' },
  denied: { sign: 'no', word: 'Denied' },
  expired: { sign: 'late', word: 'Expired' },
  withdrawn: { sign: 'back', word: 'Withdrawn' },
  pending: { sign: 'wait', word: 'Pending' },
};

const outcomeWords: Readonly<Record<Exclude<Outcome['state'], 'executed'>, StatusWord>> = {
  executing: { sign: 'wait', word: 'Sending', open: true },
  blocked: { sign: 'no', word: 'Refused' },
  cancelled: { sign: 'back', word: 'Withdrawn' },
  expired: { sign: 'late', word: 'Too late' },
  unknown: { sign: 'ask', word: 'Outcome unknown', open: true },
};

function requestStatusWord({ status, outcome, details }: ApprovalRequest): StatusWord {
  if (status !== 'approved' || details.proposal === undefined) return statusWords[status];
  if (outcome?.state === 'executed') return executedWord(outcome.text);
  return outcomeWords[outcome?.state ?? 'executing'];
}

/** Derives the status word from the gateway's text about an order, such as `filled 5 at $180.12`. */
function executedWord(text: string): StatusWord {
  if (/^filled \S+ of /.test(text)) return { sign: 'done', word: 'Partially filled', open: true };
  if (text.startsWith('filled')) return { sign: 'done', word: 'Filled' };
  if (text.startsWith('placed')) return { sign: 'done', word: 'Placed', open: true };
  if (text.includes('rejected')) return { sign: 'no', word: 'Rejected' };
  return { sign: 'done', word: 'Done' };
}

function statusSentence(request: ApprovalRequest): string {
  const { outcome, details, status } = request;
  if (outcome !== undefined && (outcome.state !== 'executing' || outcome.text !== '')) return summarizeOutcome(request);
  switch (status) {
    case 'approved':
      return details.proposal === undefined ? 'The app that requested it is now carrying it out.' : 'On its way.';
    case 'denied':
      return 'Nothing was done.';
    default:
      return 'It ended before you decided. Nothing was done.';
  }
}

/**
 * Parses the gateway's one-line text about an order, because the outcome has no separate fields. The text is, for
 * example, `filled 5 at $180.12`, `filled 2 of 5 at $180.12`, or `cancelled, 2 filled at $180.12`. Returns the price
 * (`$180.12 a share`) and total (`$900.60`), or undefined.
 * @param symbol the traded symbol; an option's price is for one of the 100 shares in its contract
 */
export function parseFillText(text: string, symbol: string) {
  const { quantity, price } = parseFill(text);
  if (quantity === undefined || price === undefined) return undefined;
  const total = quantity.times(contractMultiplier(symbol)).times(parseNumber(price));
  return { price: `$${price} ${perUnitWords(symbol)}`, total: formatDollarAmount(total.toFixed(2)) };
}

const fillPattern = /^(?:filled ([\d,.]+)(?: of [\d,.]+)?|[a-z ]+, ([\d,.]+) filled) at \$([\d,]+(?:\.\d+)?)$/;
const parseNumber = (written: string) => new Dec(written.replaceAll(',', ''));

function parseFill(text: string): { readonly quantity?: Dec; readonly price?: string | undefined } {
  const [, before, after, price] = fillPattern.exec(text) ?? [];
  const quantity = before ?? after;
  return quantity === undefined ? {} : { quantity: parseNumber(quantity), price };
}

/** Returns the filled quantity from the gateway's final text about an order; undefined if more may still fill. */
export function filledQuantity(text: string): Dec | undefined {
  return executedWord(text).open ? undefined : parseFill(text).quantity;
}
