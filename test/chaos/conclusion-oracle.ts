import { newYorkDate } from '../../src/trading/new-york-time.ts';
import type { Conclusion, Sent } from './network.ts';
import type { Evidence, Must } from './oracle.ts';

/** How long an order must have been missed for, in time that one process was awake; and how far apart two misses may be. */
const ABSENT_MS = 5 * 60_000;
const MOST_APART_MS = 90_000;
const MOST_DRIFT_MS = 2_000;

/** "Not placed" needs five minutes of misses seen by one awake process with no open request for the order. */
export function checkConclusions({ world: { network } }: Evidence, must: Must): void {
  for (const conclusion of network.conclusions) {
    const { clientOrderId: id, at, count, isOpen, reservedUntil } = conclusion;
    const isInDoubt = network.sent.some(
      (sent) =>
        sent.note.clientOrderId === id &&
        sent.begun < count &&
        (!sent.heard || sent.status === undefined || sent.status >= 500),
    );
    must(!isOpen, `${id} was concluded not to be placed while its request was open`);
    if (!isInDoubt) continue;
    const ms = missedFor(conclusion, network.sent);
    must(ms >= ABSENT_MS, `${id} was concluded not to be placed after ${ms} ms of misses`);
    const isHeld = reservedUntil !== undefined && newYorkDate(reservedUntil) > newYorkDate(at);
    must(isHeld, `${id} stopped counting with its day not over`);
  }
}

/** The longest stretch of misses that the process had without a gap, up to its conclusion. Milliseconds of its awake time. */
function missedFor({ by, clientOrderId, count }: Conclusion, all: readonly Sent[]): number {
  const misses = all.filter(
    ({ from, method, path, heard, status, ended }) =>
      from === by &&
      method === 'GET' &&
      path.includes(`client_order_id=${clientOrderId}`) &&
      heard &&
      status === 404 &&
      ended <= count,
  );
  const last = misses.at(-1);
  if (last === undefined) return 0;
  let first = last;
  for (const miss of misses.toReversed()) {
    const isNext = first.monotonicAt - miss.monotonicAt <= MOST_APART_MS;
    const drift = (one: Sent) => one.senderAt - one.monotonicAt;
    if (!isNext || Math.abs(drift(last) - drift(miss)) > MOST_DRIFT_MS) break;
    first = miss;
  }
  return last.monotonicAt - first.monotonicAt;
}
