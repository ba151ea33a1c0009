import { MANDATE_TOTAL, SHARE_PRICE } from './constants.ts';
import type { Facts } from './facts.ts';

/** What is wrong with how a scenario ended, whatever it was; empty if nothing is. */
export function faults({ orders, booked, mandate }: Facts): string[] {
  const known = orders.reduce((sum, order) => sum + order.booked, 0);
  return [
    ...(booked === known ? [] : [`the book has ${booked} orders, of which ${known} were proposed`]),
    ...orders.flatMap(({ clientOrderId: id, state, told, booked: count }) => [
      ...(count > 1 ? [`${id} is in the book ${count} times`] : []),
      ...((state === 'executed') === count > 0 ? [] : [`${id} is ${state}, and in the book ${count} times`]),
      ...(told === undefined || told.outcome === state
        ? []
        : [`the phone was told that ${id} is ${told.outcome}; it is ${state}`]),
    ]),
    ...(mandate === undefined ? [] : budgetFaults(orders, mandate)),
  ];
}

/** Orders in the book exceed the mandate only if the gateway says so: it is suspended, and what is used is more than its total. */
function budgetFaults(orders: Facts['orders'], mandate: NonNullable<Facts['mandate']>): string[] {
  const counted = orders.filter(({ underMandate, booked }) => underMandate && booked > 0).length;
  // Each is for nearly two shares.
  const isOver = counted * 1.8 * Number(SHARE_PRICE) > MANDATE_TOTAL;
  if (!isOver) return [];
  return [
    ...(mandate.state === 'suspended' ? [] : [`${counted} orders exceed the mandate, which is ${mandate.state}`]),
    ...(Number(mandate.used.total_notional) > MANDATE_TOTAL
      ? []
      : [`the mandate counts ${mandate.used.total_notional}, and the orders in the book exceed it`]),
  ];
}

/** One line of a report, then the story. */
export function report(name: string, facts: Facts): string {
  const wrong = faults(facts);
  const orders = facts.orders.map(
    ({ state, reason, told, booked }) =>
      `${state}${reason === undefined ? '' : ` (${reason})`}, ${told === undefined ? 'no phone' : `phone ${told.outcome}`}, ${booked} in the book`,
  );
  const { mandate, late, events } = facts;
  const parts = [
    orders.join('; '),
    `${late.length} late${late.map(({ afterMs }) => ` (${(afterMs / 1000).toFixed(1)} s)`).join(',')}`,
    ...(mandate === undefined ? [] : [`mandate ${mandate.state}, used ${mandate.used.total_notional}`]),
    wrong.length === 0 ? 'consistent' : `WRONG: ${wrong.join('; ')}`,
  ];
  return [
    `${name}: ${parts.join(' | ')}`,
    ...[...facts.story, `recorded: ${events.join(', ')}`].map((line) => `    ${line}`),
  ].join('\n');
}
