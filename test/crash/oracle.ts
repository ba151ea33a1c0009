import { isWithinApproval } from '../fixtures/within-approval.ts';
import type { CrashCase } from './crash-case.ts';
import type { Played } from './play-case.ts';

/** What is wrong with how a case ended, judged by the broker's book; empty where nothing is. */
export function verdict(plan: CrashCase, { taps, booked, approvals, audit, kills }: Played): string[] {
  const wrong: string[] = [];
  const mustDie = plan.deaths.filter(({ by, maySurvive }) => by === 'kill' && !maySurvive);
  if (kills < mustDie.length) wrong.push('not everybody died');

  for (const order of booked) {
    const approved = taps.find(
      ({ decision, clientOrderId }) => decision === 'approve' && clientOrderId === order.client_order_id,
    );
    if (approved === undefined) {
      wrong.push(`${order.symbol} is in the book under ${order.client_order_id}, which nobody approved`);
      continue;
    }
    const { details } = approved;
    for (const field of ['symbol', 'side', 'qty', 'notional'] as const) {
      if (!isSame(order[field], details[field])) {
        wrong.push(
          `${order.symbol}: ${field} is ${order[field]} in the book, ${details[field]} was approved`,
        );
      }
    }
    if (!isWithinApproval(details, order)) {
      wrong.push(`${order.symbol} is a ${order.type} order at ${order.limit_price} in the book`);
    }
  }

  for (const { symbol, person } of plan.orders) {
    const inBook = booked.filter((order) => order.symbol === symbol);
    const own = approvals.filter(({ order }) => order.symbol === symbol);
    const executed = own.filter(({ status }) => status === 'executed');
    const statuses = own.map(({ status }) => status).join(', ') || 'never asked';
    if (inBook.length > 1) wrong.push(`${inBook.length} orders for ${symbol}`);
    if (executed.length !== inBook.length) {
      wrong.push(`${symbol}: the agent says ${statuses}, the book has ${inBook.length}`);
    }
    if (executed.some(({ order }) => order.client_order_id !== inBook[0]?.client_order_id)) {
      wrong.push(`${symbol}: the agent names another order than the book`);
    }
    if (person === 'deny' && inBook.length > 0) wrong.push(`${symbol} was denied and is in the book`);
    const asked = taps.some(({ details }) => details.symbol === symbol);
    if (!asked && mustAsk(plan)) wrong.push(`nobody was asked about ${symbol}`);
    // An approval that holds must come to its order; where the person could not be asked, to none.
    if (person === 'approve' && asked && inBook.length === 0 && !statuses.includes('cancelled')) {
      wrong.push(`${symbol} was approved and is not in the book: ${statuses}`);
    }
  }
  wrong.push(...auditFaults(approvals, audit));
  if (booked.some((order) => !plan.orders.some(({ symbol }) => symbol === order.symbol))) {
    wrong.push('an order nobody asked for');
  }
  return wrong;
}

/** How an approval ends, in the audit log's words. */
const lastEvent: Readonly<Record<string, string>> = { executed: 'answered' };

/** No death loses a line of the audit file, or writes one twice. */
function auditFaults(approvals: Played['approvals'], audit: Played['audit']): string[] {
  const faults: string[] = [];
  if (new Set(audit.map(({ id }) => id)).size < audit.length)
    faults.push('a line is on the audit file twice');
  for (const { id, status, order } of approvals) {
    const events = audit.filter(({ approval }) => approval === id).map(({ event }) => event);
    const must = ['proposed', ...(status === 'executed' ? ['requested', 'approved', 'sending'] : [])];
    for (const event of [...must, lastEvent[status] ?? status]) {
      if (!events.includes(event))
        faults.push(`${order.symbol}: the audit file lacks "${event}": ${events.join(', ')}`);
    }
    const once = ['proposed', lastEvent[status] ?? status];
    if (once.some((event) => events.filter((one) => one === event).length > 1)) {
      faults.push(`${order.symbol}: the audit file says ${events.join(', ')}`);
    }
  }
  return faults;
}

/** What the prompt said survives every death of the agent, but for one before it was stored at all. */
function mustAsk({ deaths }: CrashCase): boolean {
  return deaths.every(
    ({ victim, by, failpoint }) =>
      victim === 'agent' && by === 'kill' && failpoint !== 'checkpoint.before=kill@1',
  );
}

/** The broker writes an amount in its own way: 5 for 5.00. */
function isSame(booked: string | null, approved: unknown): boolean {
  if (booked === null || approved === undefined) return booked === null && approved === undefined;
  return booked === approved || Number(booked) === Number(approved);
}
