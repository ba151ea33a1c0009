import { RESEND_DELAY_MS } from '../../src/gateway/orders/order-submission.ts';
import type { Sent } from './network.ts';
import type { Evidence, Must } from './oracle.ts';

/** The order of requests on the wire, since the book alone wouldn't show that a fence is gone. */
export function checkWire(evidence: Evidence, must: Must): void {
  intentBeforeCall(evidence, must);
  sentAgain(evidence, must);
  polls(evidence, must);
}

const orders = ({ world }: Evidence) =>
  world.network.sent.filter(({ leg, note }) => leg === 'gateway-broker' && note.clientOrderId !== undefined);

/** How long after the last look at what could stop it an order may leave. */
export const DISPATCH_WINDOW_MS = 15_000;

/** In the row, on the record, before its deadline: then it may leave. */
function intentBeforeCall(evidence: Evidence, must: Must): void {
  const { world } = evidence;
  // Of two processes one may be told by the journal that it can't know, or that it is placed, while the other sends.
  const isShared = world.gateways() > 1;
  const skews = world.hindrances.filter(({ what }) => what === 'skew').length;
  for (const sent of orders(evidence)) {
    const { clientOrderId: id, state, audited, halted } = sent.note;
    const deadline = Number(sent.note.deadline);
    // What was on its way when the halt came is not called back; after that nothing leaves, for the first time or again.
    const isLate = typeof halted === 'number' && sent.senderAt > halted + DISPATCH_WINDOW_MS;
    must(!(isLate && skews === 0), `${id} was sent to the broker while trading was halted`);
    const isBegun = state === 'executing' || (isShared && (state === 'unknown' || state === 'executed'));
    must(isBegun, `${id} was sent while its row said ${state}`);
    must(audited === true, `${id} was sent before the record had it`);
    must(sent.senderAt < deadline, `${id} was sent to the broker after its deadline`);
    must(skews > 0 || sent.at < deadline, `${id} was sent to the broker after its deadline by the world's time`);
    // A clock that was set once can't have been ahead when the sender looked at it, and be right afterwards.
    const took = sent.monotonicAt - sent.decided.monotonicAt;
    must(
      skews > 1 || took < deadline - sent.decided.senderAt,
      `${id} was sent to the broker after its deadline by the monotonic clock`,
    );
  }
  for (const { note, at } of orders(evidence)) {
    const sub = evidence.placing.get(String(note.clientOrderId))?.row.sub;
    const halt = world.told.findLast((told) => told.what === 'halted' && told.sub === sub && told.at <= at);
    if (halt?.what !== 'halted' || typeof note.halted !== 'number') continue;
    // The halt that was in force when the order left, and not one that came after it was lifted.
    const isSame = skews > 0 || note.halted <= halt.at;
    must(!isSame || at <= halt.at + DISPATCH_WINDOW_MS, `${note.clientOrderId} left long after the halt`);
  }
}

/** An order goes out again only after it was asked for and no earlier submission can be on its way. */
function sentAgain(evidence: Evidence, must: Must): void {
  const { sent } = evidence.world.network;
  const isTimeSound = !evidence.world.hindrances.some(({ what }) => what === 'skew');
  const before = new Map<unknown, Sent>();
  for (const again of orders(evidence)) {
    const id = again.note.clientOrderId;
    const earlier = before.get(id);
    if (earlier !== undefined && isOpen(earlier)) {
      const asked = sent.some(
        ({ method, path, begun }) =>
          method === 'GET' && path.includes(`client_order_id=${id}`) && begun > earlier.begun && begun < again.begun,
      );
      must(asked, `${id} was sent again without asking what became of it`);
      must(!isTimeSound || again.at >= earlier.at + RESEND_DELAY_MS, `${id} was sent again while it may be on its way`);
    }
    before.set(id, again);
  }
}

/** Whether something may have come of it that the sender has not heard. */
function isOpen({ heard, status }: Sent): boolean {
  return !heard || status === undefined || status >= 500;
}

/** CIBA Core §7.3, §10.1, §11, for each process: what it did not hear, it can't keep to. */
function polls({ world }: Evidence, must: Must): void {
  const byQuestion = new Map<string, Sent[]>();
  for (const sent of world.network.sent) {
    if (sent.leg !== 'gateway-provider' || !sent.path.startsWith('/token')) continue;
    const id = new URLSearchParams(sent.body).get('auth_req_id');
    if (id !== null) byQuestion.set(id, [...(byQuestion.get(id) ?? []), sent]);
  }
  for (const [id, sends] of byQuestion) {
    const intervals = new Map<unknown, number>();
    for (const [index, sent] of sends.entries()) {
      const next = sends.slice(index + 1).find((other) => other.from === sent.from);
      const slowed = sent.heard && sent.answer.includes('slow_down') && sent.fault === undefined;
      const interval = (intervals.get(sent.from) ?? world.options.interval) + (slowed ? 5 : 0);
      intervals.set(sent.from, interval);
      if (next === undefined) continue;
      const who = `${sent.from.name} polled ${id}`;
      must(sent.ended < next.begun, `${who} twice at once`);
      const isFinal = ['access_token', 'access_denied', 'expired_token', 'invalid_grant'].some((final) =>
        sent.answer.includes(final),
      );
      must(!(isFinal && sent.heard && sent.fault === undefined), `${who} again after its final answer`);
      // Counted from when each was sent: how long a connection took is not the gateway’s to say.
      const pause = next.decided.at - sent.decided.at;
      const isTimeSound = !world.hindrances.some(({ what }) => what === 'skew');
      // The last poll comes at the deadline, however soon that is.
      const question = world.provider.questions.find(id);
      const isLast = question !== undefined && next.at >= question.expiresAt - 1_000;
      // Where the provider calls, it is asked at once.
      const isCalled = world.network.sent.some(
        ({ leg, body, begun, ended }) =>
          leg === 'provider-gateway' && body.includes(id) && begun < next.begun && ended > sent.begun,
      );
      must(
        !isTimeSound || isLast || isCalled || pause >= interval * 1000 - 1,
        `${who} after ${pause} ms, with an interval of ${interval} s`,
      );
    }
  }
}
