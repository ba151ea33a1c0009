import type { Sent } from './network.ts';
import type { World } from './world.ts';

type Must = (holds: boolean, otherwise: string) => void;

/**
 * The order of things, by what went over the wire. The gateway and the broker would catch most of these mistakes, so
 * that the book alone could not tell that a fence is gone.
 */
export function checkWire(world: World, must: Must): void {
  intentBeforeCall(world, must);
  lookUpBeforeResend(world, must);
  neverAfterTheDeadline(world, must);
  polls(world, must);
  leases(world, must);
}

const orders = (world: World) =>
  world.network.sent.filter(({ leg, method }) => leg === 'agent-gateway' && method === 'POST');

function intentBeforeCall(world: World, must: Must): void {
  for (const sent of orders(world)) {
    const id = sent.note.clientOrderId;
    // A process that was stopped on the way may be late with what another one has finished since.
    if (sent.note.pauses === 0)
      must(sent.note.row === 'executing', `${id} was sent while its row said ${sent.note.row}`);
    must(sent.note.audited === true, `${id} was sent before the audit file had it`);
  }
}

function lookUpBeforeResend(world: World, must: Must): void {
  const all = world.network.sent.filter(({ leg }) => leg === 'agent-gateway');
  const before = new Map<unknown, Sent>();
  for (const sent of orders(world)) {
    const id = sent.note.clientOrderId;
    const earlier = before.get(id);
    if (earlier !== undefined && sent.note.pauses === 0) {
      const asked = all.some(
        (other) =>
          other.method === 'GET' &&
          other.path.endsWith(`client_order_id=${id}`) &&
          other.begun > earlier.begun &&
          other.begun < sent.begun,
      );
      must(asked, `${id} was sent again by ${sent.from.name} without asking what became of it`);
    }
    if (sent.fault !== 'refused' && !neverLeft(sent)) before.set(id, sent);
  }
}

/** The gateway's process was down: nothing can have come of it. */
const neverLeft = (sent: Sent) => sent.status === undefined && sent.answer === '' && sent.fault === undefined;

function neverAfterTheDeadline(world: World, must: Must): void {
  for (const sent of orders(world)) {
    const { expires_at } = JSON.parse(sent.body) as { expires_at: string };
    if (sent.note.pauses === 0) {
      must(
        sent.senderAt < Date.parse(expires_at),
        `${sent.note.clientOrderId} was sent to the gateway after its approval had expired`,
      );
    }
  }
  for (const sent of world.network.sent) {
    if (sent.leg !== 'gateway-broker' || sent.method !== 'POST') continue;
    const { client_order_id: id } = JSON.parse(sent.body) as { client_order_id: string };
    const question = world.provider.questions.find(({ details }) => details.identifier === id);
    must(
      question !== undefined && sent.at < Date.parse(question.details.expires_at),
      `${id} was sent to the broker after its approval had expired`,
    );
  }
}

function polls(world: World, must: Must): void {
  const byQuestion = new Map<string, Sent[]>();
  for (const sent of world.network.sent) {
    const id = sent.leg === 'agent-provider' ? new URLSearchParams(sent.body).get('auth_req_id') : null;
    if (id !== null) byQuestion.set(id, [...(byQuestion.get(id) ?? []), sent]);
  }
  for (const [id, sends] of byQuestion) {
    for (const [index, sent] of sends.entries()) {
      const next = sends.slice(index + 1).find((other) => other.from === sent.from);
      if (next === undefined) continue;
      must(sent.ended < next.begun, `${sent.from.name} polled ${id} twice at once`);
      const final = sent.answer.includes('access_denied') || sent.answer.includes('expired_token');
      const heard = sent.fault === undefined;
      must(!(final && heard), `${sent.from.name} polled ${id} again after its final answer`);
    }
  }
}

/**
 * One process at a time has a thread, or carries out an approval; and whoever moves an order that is under way is the
 * one. (Renewals are not seen: a lease may last longer than is known here, never less.)
 */
function leases(world: World, must: Must): void {
  const held = new Map<string, { readonly from: unknown; readonly until: number }>();
  for (const write of world.writes) {
    const lease = held.get(write.row);
    switch (write.kind) {
      case 'leased':
        must(
          lease === undefined || lease.from === write.from || lease.until <= write.at,
          `${write.from.name} took ${write.row} from a process that held it`,
        );
        held.set(write.row, { from: write.from, until: write.until });
        break;
      case 'released':
        if (lease?.from === write.from) held.delete(write.row);
        break;
      case 'status':
        if (!['executing', 'executed', 'unknown'].includes(write.to)) break;
        must(
          lease?.from === write.from,
          `${write.from.name} moved ${write.row} to ${write.to} without holding its lease`,
        );
        break;
    }
  }
}
