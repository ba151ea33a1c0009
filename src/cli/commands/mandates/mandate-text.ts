import { safeLine } from '../../../text/sanitize.ts';
import { formatDollarAmount } from '../../../trading/amounts.ts';
import { describeSlot } from '../../../trading/mandate/cadence.ts';
import type { MandateView, StandingOrderState } from '../../../trading/mandate/mandate.ts';
import { describeCoveredOrders, formatLastDay, mandateFields } from '../../../trading/mandate/mandate-words.ts';
import { describeLastResult, describeNextTime } from '../../../trading/mandate/standing-order-words.ts';
import type { OutputAudience } from '../../text/audience.ts';
import { fitTable } from '../../text/table.ts';

/** Formats how much of a mandate is used: `$540.00 of $2,000.00, 3 of 12 orders`. */
function formatUsage({ terms, used }: MandateView): string {
  return `${formatDollarAmount(used.total_notional)} of ${formatDollarAmount(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders`;
}

export function mandatesText(mandates: readonly MandateView[], audience: OutputAudience): Promise<string> {
  const isLive = mandates.some(({ standing }) => standing !== undefined);
  return fitTable<MandateView>(
    [
      { head: 'ID', cell: ({ id }) => id },
      { head: 'STATE', cell: ({ state }) => state },
      { head: 'FOR', cell: ({ terms }) => describeCoveredOrders(terms), shortens: true },
      { rank: 2, head: 'USED', cell: formatUsage },
      { rank: 1, head: 'UNTIL', cell: ({ terms }) => formatLastDay(terms.expires_at) },
      ...(isLive
        ? [
            { rank: 3, head: 'NEXT', cell: nextText },
            { rank: 4, head: 'LAST', cell: lastText },
          ]
        : []),
    ],
    mandates,
    audience.columns,
  );
}

export function mandateText(mandate: MandateView): string {
  const { id, state, terms, used, slot, standing } = mandate;
  const rows: [string, string][] = [
    ['used', `${formatUsage(mandate)}; ${formatDollarAmount(used.day_notional)} today`],
    ...(slot === undefined ? [] : [['now', describeSlot(slot)] as [string, string]]),
    ...(standing === undefined ? [] : [['next', formatRecurringOrder(standing)] as [string, string]]),
    ...mandateFields(terms).filter(([label]) => label !== 'id'),
  ];
  return [
    `${id}  ${state.toUpperCase()}`,
    ...rows.map(([label, value]) => `  ${label.padEnd(11)} ${safeLine(value)}`),
  ].join('\n');
}

/** Formats a standing order's times: when it is next due, and `last: ordered Mon, Nov 23, … (approval p-…)`. */
function formatRecurringOrder(standing: StandingOrderState): string {
  const { last } = standing;
  const next = describeNextTime(standing);
  if (last === undefined) return next;
  const order = last.proposal === undefined ? '' : ` (approval ${last.proposal})`;
  return `${next}; last: ${describeLastResult(last)}${order}`;
}

function nextText({ standing }: MandateView): string {
  return standing === undefined ? '' : describeNextTime(standing);
}

function lastText({ standing }: MandateView): string {
  return standing?.last === undefined ? '' : safeLine(describeLastResult(standing.last));
}
