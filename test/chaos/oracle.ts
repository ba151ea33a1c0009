import { isSettled } from '../../src/agent/approval-states.ts';
import { subjectId } from '../../src/agent/approval-subject.ts';
import { isWithinApproval } from '../fixtures/within-approval.ts';
import { checkWire } from './wire-oracle.ts';
import type { World } from './world.ts';

/** What a history got wrong; all of it, since one fault often shows in several ways. */
export class Breach extends Error {
  override name = 'Breach';
  constructor(breaches: readonly string[]) {
    super(breaches.join('\n'));
  }
}

/**
 * Holds a settled world against the promise. It believes the broker's book, the identity provider's record of what the
 * person decided, the audit file, and what went over the wire; never what a run reported.
 */
export function check(world: World): void {
  const breaches: string[] = [];
  const must = (holds: boolean, otherwise: string) => {
    if (!holds) breaches.push(otherwise);
  };
  const book = world.broker.book();
  const rows = world.approvals();
  const audit = world.audit();

  for (const order of book) {
    const id = order.client_order_id;
    must(book.filter((other) => other.client_order_id === id).length === 1, `${id} is twice in the book`);
    const row = rows.find(({ draft }) => subjectId(draft) === id);
    must(row !== undefined, `${id} is in the book, and nobody proposed it`);
    if (row === undefined) continue;
    must(row.status === 'executed', `${id} is in the book, but its approval ended as ${row.status}`);

    const approved = world.provider.questions.filter(
      ({ details, decision, decidedAt }) =>
        decision === 'approve' &&
        details.identifier === id &&
        (decidedAt ?? Number.POSITIVE_INFINITY) <= Date.parse(order.submitted_at ?? '') &&
        details.symbol === order.symbol &&
        details.side === order.side &&
        isWithinApproval({ ...details }, order) &&
        details.time_in_force === order.time_in_force &&
        same(details.qty, order.qty),
    );
    must(approved.length > 0, `${id} is in the book, and the person never approved these values`);

    const submissions = world.network.sent.filter(
      ({ leg, method, body }) => leg === 'gateway-broker' && method === 'POST' && body.includes(`"${id}"`),
    );
    must(submissions.length > 0, `${id} is in the book, and the gateway never sent it`);

    const sending = audit.find((line) => line.event === 'sending' && line.client_order_id === id);
    must(sending !== undefined, `${id} is in the book, and the audit file does not say that it was sent`);
    must(
      sending === undefined || sending.digest === row.digest,
      `${id}: the audit file tells of another order than the row`,
    );
  }

  must(new Set(audit.map(({ id }) => id)).size === audit.length, 'a line is on the audit file twice');
  for (const row of rows) {
    const id = subjectId(row.draft);
    const last = row.status === 'executed' ? 'answered' : row.status;
    for (const event of ['proposed', last]) {
      const told = audit.filter((line) => line.approval === row.id && line.event === event).length;
      must(told === 1, `${id} is ${row.status}, and the audit file says "${event}" ${told} times`);
    }
    const booked = book.some((order) => order.client_order_id === id);
    must(isSettled(row.status), `${id} is ${row.status} at the end`);
    must(booked === (row.status === 'executed'), `${id} is ${row.status}, in the book: ${booked}`);
    must(!row.hasToken, `${id} is ${row.status} and still keeps a token`);
  }
  for (const line of audit) {
    if (line.event !== 'answered' && line.event !== 'denied' && line.event !== 'expired') continue;
    const booked = book.some((order) => order.client_order_id === line.client_order_id);
    must(
      booked === (line.event === 'answered'),
      `the audit file says ${line.event} of ${line.client_order_id}, in the book: ${booked}`,
    );
  }

  // One ask of the model's, one order, however often it was proposed again.
  for (const row of rows) {
    const siblings = rows.filter(
      (other) =>
        other.thread === row.thread && other.toolCallId === row.toolCallId && other.status === 'executed',
    );
    must(siblings.length <= 1, `${row.thread} ${row.toolCallId} was carried out ${siblings.length} times`);
  }

  // One approval's token, one order.
  const byToken = new Map<string, Set<string>>();
  for (const { jti, details } of world.provider.questions) {
    if (jti === undefined || !book.some((order) => order.client_order_id === details.identifier)) continue;
    byToken.set(jti, (byToken.get(jti) ?? new Set()).add(details.identifier));
  }
  for (const [jti, ids] of byToken) {
    // Of two orders whose approvals got tokens of one jti, each may have had another, good approval.
    const needy = [...ids].filter((id) =>
      world.provider.questions.every(
        (q) => q.details.identifier !== id || q.jti === undefined || q.jti === jti,
      ),
    );
    must(needy.length <= 1, `the approval token ${jti} bought ${needy.length} orders`);
  }

  checkWire(world, must);
  if (breaches.length > 0) throw new Breach([...new Set(breaches)]);
}

function same(a: string | null | undefined, b: string | null | undefined): boolean {
  return (a == null && b == null) || (a != null && b != null && Number(a) === Number(b));
}
