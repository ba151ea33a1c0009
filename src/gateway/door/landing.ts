import type { Clock } from '../../machine/clock.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';

/** Longer than a gateway is at one thing: the broker's or service's time-out, and the looks after it. */
const LONGEST_MS = 20_000;
/** Between looks at the row, milliseconds: news of it may get lost. */
const LOOK_MS = 500;

interface LandingParts {
  readonly clock: Clock;
  /** Undefined where no other gateway has the same data: then what is under way is under way here, or its process is dead. */
  readonly others?: OtherProcesses | undefined;
}

/**
 * Waits while another gateway may be sending something, so that who asks here gets the first's answer: looks at the row again
 * at each news of it, and now and then without.
 * @param seen the row as it was just read
 * @param id the client's own, of an order or a message
 * @param isUnderWay whether somebody may be at it
 * @param since when that began, milliseconds since the epoch; now, where the row does not say
 * @returns the row as it is at the end
 */
export async function whenLanded<Row>(
  { clock, others }: LandingParts,
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
  // The other machine's clock may be ahead.
  const until = Math.min(since ?? clock.now(), clock.now()) + LONGEST_MS;
  let news = new AbortController();
  const stop = others.hear((told) => {
    if (told === 'missed' || ('landed' in told && told.landed === id)) news.abort();
  });
  try {
    while (isUnderWay(row) && clock.now() < until) {
      await clock.sleep(Math.min(LOOK_MS, until - clock.now()), news.signal).catch(() => undefined);
      news = new AbortController();
      row = await look();
    }
    return row;
  } finally {
    stop();
  }
}
