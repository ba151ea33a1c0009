import { NO_TOKEN } from '../../approval/access.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Caller } from '../door/caller.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import type { BrokerTokens } from './broker-token.ts';

/**
 * The caller's token at the broker, which the identity provider gives in exchange for theirs here. Whoever acts for an owner
 * has none of theirs to exchange, and is not given what is kept from an earlier visit of theirs either.
 */
export function exchangedCredentials(tokens: BrokerTokens): BrokerCredentials {
  return {
    async credentialsFor(caller) {
      requireOwnToken(caller);
      return { accessToken: await tokens.tokenFor(caller) };
    },
    async isConnected(caller) {
      requireOwnToken(caller);
      return await tokens.isConnected(caller);
    },
    forget(sub, credentials) {
      if (credentials === undefined) tokens.forget(sub);
      else if ('accessToken' in credentials) tokens.forget(sub, credentials.accessToken);
    },
  };
}

/** @throws {Refusal} 409 `account_not_connected` */
function requireOwnToken({ by, accessToken }: Pick<Caller, 'by' | 'accessToken'>): void {
  if (by === undefined || accessToken !== NO_TOKEN) return;
  throw new Refusal(
    409,
    'account_not_connected',
    'this account is opened by its owner’s own sign-in alone: nobody else can act for them here',
    {
      hint: 'It takes a gateway that keeps the owner’s key pair ("broker: {credentials: key_pair}" in gateway.yaml), as a home does.',
    },
  );
}
