import { expect, it } from 'vitest';
import type { BrokerTokens } from '../../../src/gateway/broker/broker-token.ts';
import { exchangedCredentials } from '../../../src/gateway/broker/exchanged-credentials.ts';

it('credentials by exchange forget the token that was refused, or all that is kept of a person', async () => {
  const forgotten: unknown[] = [];
  const tokens: BrokerTokens = {
    tokenFor: async ({ sub }) => `token of ${sub}`,
    isConnected: async ({ sub }) => sub === 'alice',
    forget: (...which) => forgotten.push(which),
  };
  const credentials = exchangedCredentials(tokens);
  const alice = { sub: 'alice', accessToken: 'hers' };
  const found = await credentials.credentialsFor(alice);
  expect(found).toEqual({ accessToken: 'token of alice' });
  expect(await credentials.isConnected(alice)).toBe(true);
  credentials.forget('alice', found);
  credentials.forget('alice');
  credentials.forget('alice', { keyId: 'k', secret: 's' });
  expect(forgotten).toEqual([['alice', 'token of alice'], ['alice']]);
});
