import type { Clock } from '../../machine/clock.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';

/** Maximum wait, in milliseconds. Sending an order or message, including the lookups that follow, takes less time. */
const MAX_WAIT_MS = 20_000;
/** Milliseconds between reads of the row, in case a notification is lost. */
const POLL_INTERVAL_MS = 500;

interface WaitParts {
  readonly clock: Clock;
  /** The other gateways that share the data; undefined if there are none. */
  readonly others?: OtherProcesses | undefined;
}

/**
 * Waits while another gateway may be sending an order or message, so that this gateway returns the same result. Reads
 * the row of the order or message after each notification about it, and every {@link POLL_INTERVAL_MS}.
 * @param id the ID that the client chose for the order or message
 * @param isUnderWay returns whether a gateway may still be sending the order or message
 * @param since when sending began, in milliseconds since the epoch (default: now)
 * @returns the row as it was last read
 */
export async function waitForOtherGateway<Row>(
  { clock, others }: WaitParts,
  seen: Row,
  id: string,
  {
    look,
    isUnderWay,
    since,
  }: {
    readonly look: () => Promise<Row>;
    readonly isUnderWay: (row: Row) => boolean;
    readonly since?: number | undefined;
  },
): Promise<Row> {
  if (others === undefined) return seen;
  let row = seen;
  // `since` may be in the future, because the other machine's clock may be ahead.
  const until = Math.min(since ?? clock.now(), clock.now()) + MAX_WAIT_MS;
  let news = new AbortController();
  const stop = others.subscribe((notice) => {
    if (notice === 'missed' || ('landed' in notice && notice.landed === id)) news.abort();
  });
  try {
    while (isUnderWay(row) && clock.now() < until) {
      await clock.sleep(Math.min(POLL_INTERVAL_MS, until - clock.now()), news.signal).catch(() => undefined);
      news = new AbortController();
      row = await look();
    }
    return row;
  } finally {
    stop();
  }
}
