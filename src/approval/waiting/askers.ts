import { NO_TOKEN } from '../access.ts';
import type { Proposer } from '../kind.ts';

/** People whose last token is remembered; whoever was longest away is forgotten first. */
const MOST_ASKERS = 10_000;

/** With whose token a person's accounts may be asked about, in memory and nowhere else. */
export interface Askers {
  readonly by: ReadonlyMap<string, Proposer>;
  seen(asker: Proposer): void;
}

export function createAskers(): Askers {
  const by = new Map<string, Proposer>();
  return {
    by,
    seen(asker) {
      // The gateway itself comes without a token: a session that is at hand is of more use.
      if (asker.accessToken === NO_TOKEN && by.has(asker.sub)) return;
      by.delete(asker.sub);
      by.set(asker.sub, asker);
      if (by.size > MOST_ASKERS) by.delete(by.keys().next().value ?? '');
    },
  };
}
