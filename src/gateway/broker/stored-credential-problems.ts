import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { type CredentialKind, getCredentialTexts } from './stored-kinds.ts';

const SET_COMMAND = '"trade-agent home broker set"';

export function noStoredCredentialsProblem(kind: CredentialKind): HttpProblem {
  const { noun } = getCredentialTexts(kind);
  return notConnected(
    kind,
    `no ${noun} for a brokerage account is stored for this user`,
    `Enter one on the home’s own machine: ${SET_COMMAND}.`,
  );
}

/** Returns the problem for credentials that were deleted or replaced, or that are for the other environment. */
export function rejectedCredentialsProblem(kind: CredentialKind, cause: unknown): HttpProblem {
  const { noun, again } = getCredentialTexts(kind);
  return notConnected(
    kind,
    `the broker rejected the ${noun} stored for this user`,
    `${again}. Then enter the ${noun} on the home’s own machine: ${SET_COMMAND}.`,
    cause,
  );
}

/** Returns the problem for credentials that were sealed with another key, or for another person. */
export function unreadableCredentialsProblem(kind: CredentialKind, cause: unknown): HttpProblem {
  const { noun } = getCredentialTexts(kind);
  return notConnected(
    kind,
    `the ${noun} stored for this user cannot be decrypted`,
    `Check whether seal.key in the gateway’s folder was replaced. Enter the credentials again on the home’s own machine: ${SET_COMMAND}.`,
    cause,
  );
}

export function wrongEnvironmentProblem(
  kind: CredentialKind,
  found: 'paper' | 'live',
  wanted: 'paper' | 'live',
): HttpProblem {
  const { noun } = getCredentialTexts(kind);
  return notConnected(
    kind,
    `the ${noun} stored for this user is for a ${found} account, but this gateway trades ${wanted} accounts`,
    `Enter the ${noun} of the ${wanted} account on the home’s own machine: ${SET_COMMAND}.`,
  );
}

/** Returns a problem. Its `credentials` member tells clients not to send the person to the identity provider. */
function notConnected(kind: CredentialKind, detail: string, hint: string, cause?: unknown): HttpProblem {
  return new HttpProblem(409, 'account_not_connected', detail, {
    hint,
    members: { credentials: kind },
    ...defined({ cause }),
  });
}
