import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { BatchResult, BatchSubject } from '../../src/trading/kinds/batch.ts';
import type { OrderDraft } from '../../src/trading/order.ts';
import type { Evidence, Must } from './oracle.ts';

/** Each line of a batch went out by itself, sales first, and its row agrees with the broker's book. */
export function checkBatches(evidence: Evidence, must: Must): void {
  for (const row of evidence.rows) {
    if (row.kind !== 'batch') continue;
    const subject = row.subject as BatchSubject;
    inTurn(evidence, subject, must);
    asItsRowSays(evidence, row, must);
  }
}

/** No line left while the one before it was not known to have come to something, for the first time or again. */
function inTurn({ world }: Evidence, { orders, client_batch_id: batch }: BatchSubject, must: Must): void {
  const sends = orders.map((draft) => ({
    draft,
    begun: world.network.sent.flatMap(({ leg, note, begun }) =>
      leg === 'gateway-broker' && note.clientOrderId === draft.client_order_id ? [begun] : [],
    ),
  }));
  const of = (side: OrderDraft['side']) =>
    sends.filter(({ draft }) => draft.side === side).flatMap(({ begun }) => begun);
  must(Math.max(...of('sell'), 0) < Math.min(...of('buy'), Number.POSITIVE_INFINITY), `${batch} bought before it sold`);
  for (const [at, { begun }] of sends.entries()) {
    const later = sends.slice(at + 1).flatMap((one) => one.begun);
    must(
      Math.max(...begun, 0) < Math.min(...later, Number.POSITIVE_INFINITY),
      `line ${at + 1} of ${batch} was sent after one that comes later`,
    );
  }
}

function asItsRowSays({ book }: Evidence, row: StoredProposal, must: Must): void {
  const { orders, on_failure, client_batch_id: batch } = row.subject as BatchSubject;
  const placed = orders.map(({ client_order_id: id }) => book.some((order) => order.client_order_id === id));
  if (row.state !== 'executed') {
    must(!placed.includes(true), `${batch} is ${row.state}, and orders of it are in the book`);
    return;
  }
  const { lines } = row.result as BatchResult;
  for (const [at, { client_order_id: id, outcome }] of lines.entries()) {
    must(id === orders[at]?.client_order_id, `${batch} tells of another order on line ${at + 1}`);
    must(
      (outcome === 'placed') === placed[at],
      `line ${at + 1} of ${batch} is ${outcome}, and the book says otherwise`,
    );
  }
  const failed = lines.findIndex(({ outcome }) => outcome === 'refused');
  const wentOn = failed >= 0 && placed.slice(failed).includes(true);
  must(!(on_failure === 'stop' && wentOn), `${batch} went on after one that came to nothing`);
}
