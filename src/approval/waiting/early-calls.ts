import type { StoredProposal } from '../../store/proposal-store.ts';
import type { NotificationTokens } from '../notification-tokens.ts';

/** Calls remembered that came before their question's answer was in its row: a quick thumb. */
const MOST_EARLY_CALLS = 1_000;
/** Longer than any notification token of ours: it is no call to remember. */
const LONGEST_NOTIFICATION_TOKEN = 128;

/** Calls of the identity provider (CIBA Core §10.2) for questions that are not known yet; the oldest are forgotten. */
export interface EarlyCalls {
  remember(authReqId: string, notificationToken: string): void;
  /** Whether one came for a proposal's question, now that it is known; says so once. */
  take(proposal: StoredProposal): boolean;
}

export function createEarlyCalls(tokens: NotificationTokens): EarlyCalls {
  const calls = new Map<string, string>();
  return {
    remember(authReqId, notificationToken) {
      if (notificationToken.length > LONGEST_NOTIFICATION_TOKEN) return;
      if (calls.size >= MOST_EARLY_CALLS) calls.delete(calls.keys().next().value ?? '');
      calls.set(authReqId, notificationToken);
    },
    take(proposal) {
      const { authReqId = '' } = proposal;
      const notificationToken = calls.get(authReqId);
      calls.delete(authReqId);
      return notificationToken !== undefined && tokens.isOf(notificationToken, proposal);
    },
  };
}
