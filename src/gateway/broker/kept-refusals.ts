import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { type KeptKind, keptWords } from './kept-kinds.ts';

const GIVE = '"trade-agent home broker set"';

export function nothingKept(kind: KeptKind): Refusal {
  const { noun } = keptWords(kind);
  return refusal(
    kind,
    `no ${noun} of a brokerage account is kept here for this user`,
    `Give it one at the home’s own machine: ${GIVE}.`,
  );
}

/** It was deleted or replaced at the broker, or is of the other environment. */
export function keptRefused(kind: KeptKind, cause: unknown): Refusal {
  const { noun, again } = keptWords(kind);
  return refusal(
    kind,
    `the broker refuses the ${noun} that is kept here for this user`,
    `${again}, and give it at the home’s own machine: ${GIVE}.`,
    cause,
  );
}

/** Sealed under another secret, or for another person. */
export function keptUnreadable(kind: KeptKind, cause: unknown): Refusal {
  const { noun } = keptWords(kind);
  return refusal(
    kind,
    `the ${noun} that is kept here for this user cannot be opened`,
    `Was seal.key in the gateway’s folder replaced? Give it again at the home’s own machine: ${GIVE}.`,
    cause,
  );
}

export function keptOfOther(kind: KeptKind, found: 'paper' | 'live', wanted: 'paper' | 'live'): Refusal {
  const { noun } = keptWords(kind);
  return refusal(
    kind,
    `the ${noun} that is kept here for this user is of a ${found} account, and this gateway trades ${wanted} accounts`,
    `Give that of the ${wanted} account at the home’s own machine: ${GIVE}.`,
  );
}

/** `credentials` tells clients that there is nothing to connect at the identity provider. */
function refusal(kind: KeptKind, detail: string, hint: string, cause?: unknown): Refusal {
  return new Refusal(409, 'account_not_connected', detail, {
    hint,
    members: { credentials: kind },
    ...defined({ cause }),
  });
}
