import type { Sessions } from '../../identity-provider/sessions.ts';
import type { PushSubscriptions } from './push-subscriptions.ts';

/**
 * Sessions whose end stops what rings by them: at sign-out, from the list of browsers, and when their passkey is removed.
 * One that only ran out after its hours rings on, or no phone would ring in the morning.
 */
export function endingRings(
  sessions: Sessions,
  subscriptions: Pick<PushSubscriptions, 'endSession' | 'endKey'>,
): Sessions {
  return {
    ...sessions,
    end(username, id) {
      const ended = sessions.end(username, id);
      // Only one of their own: an id is no secret.
      if (ended) subscriptions.endSession(id);
      return ended;
    },
    endOf(username, credentialId) {
      subscriptions.endKey(username, credentialId);
      sessions.endOf(username, credentialId);
    },
  };
}
