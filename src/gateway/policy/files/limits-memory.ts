import type { Clock } from '../../../machine/clock.ts';
import type { LimitsStore } from '../../../store/limits-store.ts';
import { hasLimits, type Limits } from '../limits.ts';
import type { Rules } from '../rules.ts';

export const LIMITS_LOST = {
  what: 'limits.yaml limits nothing, and it did before',
  fix: 'Restore it. To have no limits, remove the last one by a change that you approve on your phone.',
} as const;
const LOST = `${LIMITS_LOST.what}. ${LIMITS_LOST.fix}`;

interface WrittenRules extends Rules {
  readonly written: { readonly limits: Limits | undefined };
}

/** Detects that all limits are gone. */
export interface LimitsMemory<R extends WrittenRules> {
  /** The same rules; if they lost their limits, with a `problem`, so that nothing is traded. */
  checked(rules: R): Promise<R>;
  /** Their owner approved that there are none. */
  forget(): Promise<void>;
}

/** @param onLost called once for each reading that found them gone */
export function limitsMemory<R extends WrittenRules>(
  store: LimitsStore,
  clock: Pick<Clock, 'now'>,
  onLost: (problem: string) => void,
): LimitsMemory<R> {
  // Once for each reading of the files: a decision must not wait for the database twice.
  let last: { readonly rules: R; readonly answer: Promise<R> } | undefined;
  const ask = async (rules: R): Promise<R> => {
    if (hasLimits(rules.written.limits)) {
      await store.remember(clock.now());
      return rules;
    }
    if (rules.problem !== undefined || !(await store.hadLimits())) return rules;
    onLost(LOST);
    return { ...rules, problem: LOST };
  };
  return {
    async checked(rules) {
      if (last?.rules !== rules) last = { rules, answer: ask(rules) };
      const mine = last;
      try {
        return await mine.answer;
      } catch (error) {
        if (last === mine) last = undefined;
        throw error;
      }
    },
    async forget() {
      await store.forget();
      last = undefined;
    },
  };
}
