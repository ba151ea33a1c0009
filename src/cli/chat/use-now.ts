import { useEffect, useState } from 'react';
import type { Clock } from '../../machine/clock.ts';

/** The time in milliseconds, renewed every `intervalMs` while `active`: for countdowns. */
export function useNow(clock: Clock, active: boolean, intervalMs: number): number {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    if (!active) return;
    setNow(clock.now());
    const timer = setInterval(() => setNow(clock.now()), intervalMs);
    return () => clearInterval(timer);
  }, [clock, active, intervalMs]);
  return now;
}
