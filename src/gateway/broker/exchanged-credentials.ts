import type { BrokerCredentials } from './broker-credentials.ts';
import type { BrokerTokens } from './broker-token.ts';

/** The caller's token at the broker, which the identity provider gives in exchange for theirs here. */
export function exchangedCredentials(tokens: BrokerTokens): BrokerCredentials {
  return {
    credentialsFor: async (caller) => ({ accessToken: await tokens.tokenFor(caller) }),
    isConnected: (caller) => tokens.isConnected(caller),
    forget(sub, credentials) {
      if (credentials === undefined) tokens.forget(sub);
      else if ('accessToken' in credentials) tokens.forget(sub, credentials.accessToken);
    },
  };
}
