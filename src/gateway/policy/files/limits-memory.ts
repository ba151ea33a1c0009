import type { Clock } from '../../../machine/clock.ts';
import type { LimitsStore } from '../../../store/limits-store.ts';
import { hasLimits, type Limits } from '../limits.ts';
import type { Rules } from '../rules.ts';

/** Why nothing is traded where limits are gone, and what to do. */
export const LIMITS_LOST = {
  what: 'limits.yaml limits nothing, and it did before',
  fix: 'Restore it. To have no limits, remove the last one by a change that you approve on your phone.',
} as const;
const LOST = `${LIMITS_LOST.what}. ${LIMITS_LOST.fix}`;

/** Rules as they were read from files. */
interface WrittenRules extends Rules {
  readonly written: { readonly limits: Limits | undefined };
}

/** Rules that can't lose their limits in silence. */
export interface LimitsMemory<R extends WrittenRules> {
  /** The same rules; where they have no limits and had some, such as let nothing be traded (`Rules.problem`). */
  checked(rules: R): Promise<R>;
  /** Their owner approved that there are none. */
  forget(): Promise<void>;
}

/** @param onLost told once of each reading that found them gone */
export function limitsMemory<R extends WrittenRules>(
  store: LimitsStore,
  clock: Pick<Clock, 'now'>,
  onLost: (problem: string) => void,
): LimitsMemory<R> {
  // Asked once of each reading of the files: a decision must not wait for the database twice.
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
