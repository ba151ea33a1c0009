import { safeLine } from '../../../net/shown-text.ts';
import { dollars } from '../../../trading/amounts.ts';
import type { MandateView, StandingNow } from '../../../trading/mandate/mandate.ts';
import { mandateFields } from '../../../trading/mandate/mandate-words.ts';
import { dayWords } from '../../../trading/mandate/standing-words.ts';
import { newYorkTimestamp } from '../../../trading/new-york-time.ts';

/** `$540.00 of $2,000.00, 3 of 12 orders` */
export function usedText({ terms, used }: MandateView): string {
  return `${dollars(used.total_notional)} of ${dollars(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders`;
}

/** All of a mandate: how it stands, what is used of it, and its terms. */
export function mandateText(mandate: MandateView): string {
  const { id, state, terms, used, slot, standing } = mandate;
  const rows: [string, string][] = [
    ['used', `${usedText(mandate)}; ${dollars(used.day_notional)} today`],
    ...(slot === undefined ? [] : [['now', slot] as [string, string]]),
    ...(standing === undefined ? [] : [['next', standingText(standing)] as [string, string]]),
    ...mandateFields(terms).filter(([label]) => label !== 'id'),
  ];
  return [
    `${id}  ${state.toUpperCase()}`,
    ...rows.map(([label, value]) => `  ${label.padEnd(11)} ${safeLine(value)}`),
  ].join('\n');
}

/** `Mon 30 Nov 10:00 New York; last: ordered Mon 23 Nov 10:00 (approvals show p-…)` */
export function standingText({ state, next_at, last }: StandingNow): string {
  const next = next_at === undefined ? (state === 'watching' ? 'watching' : state) : timeText(next_at);
  if (last === undefined) return next;
  const why =
    last.text === undefined ? '' : `: ${last.text}${last.code === undefined ? '' : ` (${last.code})`}`;
  const order = last.proposal === undefined ? '' : ` (approval ${last.proposal})`;
  return `${next}; last: ${last.outcome} ${timeText(last.at)}${order}${why}`;
}

function timeText(at: string): string {
  const time = Date.parse(at);
  return `${dayWords(time)} ${newYorkTimestamp(time).slice(11, 16)} New York`;
}
