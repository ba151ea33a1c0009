import type { Clock } from '../../machine/clock.ts';
import type { CountedMandate, MandateStore } from '../../store/mandate-store.ts';
import type { OrderJournalEntry } from '../../store/order-journal.ts';
import { formatDollarAmount } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import { maxOrdersPerSlot } from '../policy/within-mandate.ts';

interface Parts {
  readonly mandates: Pick<MandateStore, 'find' | 'end'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Suspends the order's mandate if it was used beyond the limits that its owner signed. Called if an order that was
 * written off is found at the broker, because another order may have used the same budget or period in the meantime.
 */
export async function suspendExceededMandate(parts: Parts, entry: OrderJournalEntry): Promise<void> {
  const { sub, draft } = entry;
  if (draft.mandate === undefined || (await describeMandateExcess(parts, entry)) === undefined) return;
  await parts.mandates.end({ sub, id: draft.mandate }, 'suspended', 'gateway', parts.clock.now());
}

/** Describes for the owner how a mandate's limits were exceeded. Returns undefined if they were not. */
export async function describeMandateExcess(
  { mandates, clock }: Parts,
  { sub, draft }: Pick<OrderJournalEntry, 'sub' | 'draft'>,
): Promise<string | undefined> {
  const { mandate: id, slot = '', symbol, side } = draft;
  if (id === undefined) return undefined;
  const found = await mandates.find(sub, id, {
    since: newYorkMidnight(clock.now()),
    slot: { slot, symbol, side },
  });
  const beyond = found === undefined ? [] : mandateOveruse(found);
  return beyond.length === 0 ? undefined : `Mandate ${id} was used for more than you approved: ${beyond.join('; ')}.`;
}

function mandateOveruse({ terms, used, inSlot }: CountedMandate): string[] {
  const { max_total_notional: total, max_day_notional: day, max_orders: orders } = terms;
  const ofDollars = (value: string, limit: string, when: string) =>
    new Dec(value).gt(limit) ? [`${formatDollarAmount(value)}${when}, not ${formatDollarAmount(limit)}`] : [];
  return [
    ...ofDollars(used.total_notional, total, ''),
    ...(day === undefined ? [] : ofDollars(used.day_notional, day, ' today')),
    ...(used.orders > orders ? [`${used.orders} orders, not ${orders}`] : []),
    ...(terms.cadence !== 'on_demand' && inSlot > maxOrdersPerSlot(terms)
      ? [`${inSlot} orders in one period, not ${maxOrdersPerSlot(terms)}`]
      : []),
  ];
}
