import { Refusal } from '../../trading/refusal.ts';

/** What puts a key pair there, or another in its place. */
const GIVE_KEYS = '"trade-agent home broker"';

/** Nobody has given this user's key pair. */
export function noKeyPair(): Refusal {
  return refusal(
    'no key pair of a brokerage account is kept here for this user',
    `Give it one at the home’s own machine: ${GIVE_KEYS}.`,
  );
}

/** The broker says 401 or 403 to the key pair: it was deleted or made anew there, or is of the other environment. */
export function keyPairRefused(cause: unknown): Refusal {
  return refusal(
    'the broker refuses the key pair that is kept here for this user',
    `Make a new pair at the broker, and give it at the home’s own machine: ${GIVE_KEYS}.`,
    cause,
  );
}

/** It was sealed under another secret, or for another person. */
export function keyPairUnreadable(cause: unknown): Refusal {
  return refusal(
    'the key pair that is kept here for this user cannot be opened',
    `Was seal.key in the gateway’s folder replaced? Give the pair again at the home’s own machine: ${GIVE_KEYS}.`,
    cause,
  );
}

/** A pair for live money where paper is traded, or the other way round. */
export function keyPairOfOther(found: 'paper' | 'live', wanted: 'paper' | 'live'): Refusal {
  return refusal(
    `the key pair that is kept here for this user is of a ${found} account, and this gateway trades ${wanted} accounts`,
    `Give the pair of the ${wanted} account at the home’s own machine: ${GIVE_KEYS}.`,
  );
}

/** `credentials` tells programs that there is nothing to connect at the identity provider. */
function refusal(detail: string, hint: string, cause?: unknown): Refusal {
  return new Refusal(409, 'account_not_connected', detail, {
    hint,
    members: { credentials: 'key_pair' },
    ...(cause === undefined ? {} : { cause }),
  });
}
