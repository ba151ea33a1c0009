import { useEffect, useState } from 'react';
import type { Clock } from '../../trading/clock.ts';

/** The time in milliseconds, renewed each second while `active`: for countdowns. */
export function useNow(clock: Clock, active: boolean): number {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    if (!active) return;
    setNow(clock.now());
    const timer = setInterval(() => setNow(clock.now()), 1000);
    return () => clearInterval(timer);
  }, [clock, active]);
  return now;
}
