import { safeLine } from '../../../net/shown-text.ts';
import { dollars } from '../../../trading/amounts.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import { mandateFields } from '../../../trading/mandate/mandate-words.ts';

/** `$540.00 of $2,000.00, 3 of 12 orders` */
export function usedText({ terms, used }: MandateView): string {
  return `${dollars(used.total_notional)} of ${dollars(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders`;
}

/** All of a mandate: how it stands, what is used of it, and its terms. */
export function mandateText(mandate: MandateView): string {
  const { id, state, terms, used, slot } = mandate;
  const rows: [string, string][] = [
    ['used', `${usedText(mandate)}; ${dollars(used.day_notional)} today`],
    ...(slot === undefined ? [] : [['now', slot] as [string, string]]),
    ...mandateFields(terms).filter(([label]) => label !== 'id'),
  ];
  return [
    `${id}  ${state.toUpperCase()}`,
    ...rows.map(([label, value]) => `  ${label.padEnd(11)} ${safeLine(value)}`),
  ].join('\n');
}
