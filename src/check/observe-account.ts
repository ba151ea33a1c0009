import { formatDollarAmount, formatShares } from '../trading/amounts.ts';
import { formatDate, formatTimeOfDay } from '../trading/date-words.ts';
import { Dec } from '../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant, weekday } from '../trading/new-york-time.ts';
import { describeOpenOrder } from '../trading/open-order.ts';
import { isMultiLeg } from '../trading/order-legs.ts';
import { formatAge, type Observation, type ObservedRule, toUncheckedRule, triggeredOrClear } from './observation.ts';
import type { RuleOf } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

export function observeOrdersAndClosures(
  rule: RuleOf<'open_order' | 'missing' | 'closure'>,
  snapshot: Snapshot,
): ObservedRule {
  if (rule.kind === 'open_order' && snapshot.openOrders === undefined) {
    return toUncheckedRule(rule, 'orders_unavailable', 'the open orders can’t be read');
  }
  return { observations: observationsOf(rule, snapshot), blind: [] };
}

function observationsOf(rule: RuleOf<'open_order' | 'missing' | 'closure'>, snapshot: Snapshot): Observation[] {
  switch (rule.kind) {
    case 'open_order':
      return (snapshot.openOrders ?? []).map((order) => {
        const age = snapshot.now - Date.parse(order.submitted_at);
        const size = order.qty !== null ? formatShares(order.qty) : formatDollarAmount(order.notional ?? '0');
        // Multi-leg orders have no single side or quantity.
        const what = isMultiLeg(order) ? describeOpenOrder(order) : `${order.side} ${size} ${order.symbol}`;
        return {
          rule,
          subject: order.id,
          state: triggeredOrClear(age > rule.older_than),
          say: () => ({
            facts: { symbol: order.symbol, order: what, age: formatAge(age), id: order.id },
            text: `the order ${what} has been open for ${formatAge(age)}`,
          }),
        };
      });
    case 'missing': {
      const held = snapshot.positions.find(({ symbol }) => symbol === rule.symbol);
      const qty = new Dec(held?.qty ?? 0);
      const wanted = new Dec(rule.qty ?? 0);
      const say = () => ({
        facts: { symbol: rule.symbol, qty: qty.toFixed(), wanted: wanted.toFixed() },
        text: qty.lte(0)
          ? `you hold no ${rule.symbol}`
          : `you hold ${formatShares(qty.toFixed())} ${rule.symbol}, not ${formatShares(wanted.toFixed())}`,
      });
      return [{ rule, subject: rule.symbol, state: triggeredOrClear(qty.lte(0) || qty.lt(wanted)), say }];
    }
    case 'closure':
      return marketClosures(snapshot, rule.within).map(({ date, what }) => ({
        rule,
        subject: date,
        state: 'triggered',
        say: () => ({ facts: { date, what }, text: `the market ${what} on ${formatDate(date)}` }),
      }));
  }
}

/**
 * Returns the weekdays without a session, and the early closes, in the next `within` milliseconds. The calendar's most
 * frequent closing time counts as the usual one, because around-the-clock markets close at a different time than
 * exchanges.
 */
export function marketClosures(
  { calendar, now }: Pick<Snapshot, 'calendar' | 'now'>,
  within: number,
): { date: string; what: string }[] {
  const last = calendar.at(-1)?.date;
  if (last === undefined) return [];
  const usual = usualClose(calendar.map(({ close }) => close));
  const byDate = new Map(calendar.map((day) => [day.date, day]));
  const found: { date: string; what: string }[] = [];
  for (
    let date = newYorkDate(now);
    date <= last && newYorkInstant(date, '00:00') <= now + within;
    date = addDays(date, 1)
  ) {
    const day = byDate.get(date);
    if (day === undefined) {
      if (weekday(date) !== 0 && weekday(date) !== 6) found.push({ date, what: 'is closed' });
    } else if (day.close < usual && newYorkInstant(date, day.close) > now) {
      found.push({ date, what: `closes early, at ${formatTimeOfDay(day.close)} New York time,` });
    }
  }
  return found;
}

function usualClose(closes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const close of closes) counts.set(close, (counts.get(close) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? 1 : -1))[0]?.[0] ?? '';
}
