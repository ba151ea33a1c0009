import {
  createTokenVerifier,
  type IsRevoked,
  type TokenVerifier,
} from '../../gateway/door/token-verifier.ts';
import type { Clock } from '../../machine/clock.ts';
import { sqliteProofStore } from '../../store/sqlite/proof-store.ts';
import type { IdentityProviderOptions } from './identity-provider-options.ts';
import { connectedAccountsUrl, LOGIN_CLIENT_ID } from './protocol.ts';
import type { ProviderKeys } from './provider-keys.ts';

/** By what the provider knows its own tokens. */
export interface VerifierParts {
  readonly keys: ProviderKeys;
  readonly clock: Clock;
  readonly isRevoked: IsRevoked;
}

/** Tokens that this provider itself has issued, for people's accounts elsewhere. */
export function ownTokens(
  { issuer, database }: Pick<IdentityProviderOptions, 'issuer' | 'database'>,
  parts: VerifierParts,
): TokenVerifier {
  const { keys, clock, isRevoked } = parts;
  return createTokenVerifier({
    provider: {
      metadata: async () => ({ issuer }),
      key: keys.signing.verificationKey,
    },
    resource: connectedAccountsUrl(issuer),
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
  });
}

/** Tokens of people's own sessions, as the gateway takes them. */
export function sessionTokens(
  { issuer, resource, database }: Pick<IdentityProviderOptions, 'issuer' | 'resource' | 'database'>,
  { keys, clock, isRevoked }: VerifierParts,
): TokenVerifier {
  return createTokenVerifier({
    provider: { metadata: async () => ({ issuer }), key: keys.signing.verificationKey },
    resource,
    base: issuer,
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
    requireBoundTokens: true,
    allowedClients: [LOGIN_CLIENT_ID],
  });
}
