import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../../../machine/clock.ts';

export type ReplayClock = ReturnType<typeof createReplayClock>;

interface ReplayClockOptions {
  readonly clock: Clock;
  readonly file: string;
  /** Start time, used if nothing is stored yet or if `restarts` is set. */
  readonly start: number;
  /** The last close. The clock stops there, because there are no later prices. */
  readonly end: number;
  readonly restarts: boolean;
}

const storedTimeSchema = z.object({ ahead_ms: z.number() });

export function createReplayClock({ clock, file, start, end, restarts }: ReplayClockOptions) {
  const kept =
    restarts || !existsSync(file) ? undefined : storedTimeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  let ahead = 0;
  const setAhead = (ms: number) => {
    ahead = ms;
    writeFileSync(`${file}.new`, `${JSON.stringify({ ahead_ms: ms })}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  if (kept === undefined) setAhead(start - clock.now());
  else ahead = kept.ahead_ms;
  const now = () => Math.min(clock.now() + ahead, end);
  /** Checks a new time. @throws {RangeError} for an instant in the past or after the end */
  const check = (at: number): void => {
    if (at < now()) throw new RangeError('the market’s clock can’t go backward');
    if (at > end) throw new RangeError('the recorded market days end before that');
  };
  return {
    now,
    monotonic: () => clock.monotonic(),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
    check,
    moveTo(at: number): void {
      check(at);
      setAhead(at - clock.now());
    },
  };
}
