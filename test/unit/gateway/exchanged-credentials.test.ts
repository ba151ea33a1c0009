import { expect, it } from 'vitest';
import { proposerForOwner } from '../../../src/approval/access.ts';
import type { BrokerTokens } from '../../../src/gateway/broker/broker-token.ts';
import { createTokenExchangeCredentials } from '../../../src/gateway/broker-access.ts';

it('credentials by exchange forget the token that was refused, or all that is kept of a person', async () => {
  const forgotten: unknown[] = [];
  const tokens: BrokerTokens = {
    tokenFor: async ({ sub }) => `token of ${sub}`,
    isConnected: async ({ sub }) => sub === 'alice',
    forget: (...which) => forgotten.push(which),
  };
  const credentials = createTokenExchangeCredentials(tokens);
  const alice = { sub: 'alice', accessToken: 'hers' };
  const found = await credentials.credentialsFor(alice);
  expect(found).toEqual({ accessToken: 'token of alice' });
  expect(await credentials.isConnected(alice)).toBe(true);
  credentials.forget('alice', found);
  credentials.forget('alice');
  credentials.forget('alice', { keyId: 'k', secret: 's' });
  expect(forgotten).toEqual([['alice', 'token of alice'], ['alice']]);
});

it('whoever acts for an owner gets nothing of theirs by exchange, not even what is kept', async () => {
  const tokens: BrokerTokens = {
    tokenFor: () => expect.fail('a token was looked for'),
    isConnected: () => expect.fail('a token was looked for'),
    forget: () => {},
  };
  const credentials = createTokenExchangeCredentials(tokens);
  const bob = proposerForOwner({ sub: 'bob', accessToken: 'his' }, 'alice');
  expect(bob).toEqual({ sub: 'alice', by: 'bob', accessToken: '' });
  const refusal = {
    code: 'account_not_connected',
    message: expect.stringContaining('only while its owner is signed in'),
  };
  await expect(credentials.credentialsFor(bob)).rejects.toMatchObject(refusal);
  await expect(credentials.isConnected(bob)).rejects.toMatchObject(refusal);
});
