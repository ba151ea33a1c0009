import { generateKeyPair } from 'jose';
import { expect, it } from 'vitest';
import { createBrokerTokens } from '../../../src/gateway/broker/broker-token.ts';

const issuer = 'https://id.example';

/** Exchanges each token for one that says whose it is, and counts how often. */
async function tokensOf(lifetimeS: (nth: number) => number) {
  const asked: string[] = [];
  let time = Date.parse('2026-11-02T15:00:00Z');
  const tokens = createBrokerTokens({
    provider: {
      metadata: async () => ({ issuer, token_endpoint: `${issuer}/token` }),
      key: () => Promise.reject(new Error('no token is verified here')),
    },
    exchange: {
      client_id: 'gateway',
      privateKey: (await generateKeyPair('ES256')).privateKey,
      audience: 'broker',
    },
    fetch: async (_url, init) => {
      const subject = new URLSearchParams(String(init?.body)).get('subject_token') ?? '';
      asked.push(subject);
      const expires_in = lifetimeS(asked.length);
      return Response.json({
        ...{ access_token: `of ${subject}`, token_type: 'Bearer', expires_in },
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      });
    },
    timeoutMs: 1000,
    now: () => time,
    maxCached: 100,
  });
  return {
    asked,
    pass: (ms: number) => (time += ms),
    tokenOf: (sub: string) => tokens.tokenFor({ sub, accessToken: sub }),
  };
}

it('keeps a person’s token until its last half minute', async () => {
  const { asked, pass, tokenOf } = await tokensOf(() => 600);
  expect([await tokenOf('ada'), await tokenOf('ada'), asked.length]).toEqual(['of ada', 'of ada', 1]);
  pass(569_999);
  await tokenOf('ada');
  expect(asked).toHaveLength(1);
  pass(1);
  await tokenOf('ada');
  expect(asked).toHaveLength(2);
});

it('keeps no more than so many, the newest, and each person is given their own', async () => {
  const { asked, tokenOf } = await tokensOf(() => 600);
  const people = Array.from({ length: 101 }, (_, n) => `person-${n}`);
  for (const sub of people) expect(await tokenOf(sub)).toBe(`of ${sub}`);
  await tokenOf('person-100');
  await tokenOf('person-1');
  expect(asked).toHaveLength(101);
  // The first had to go.
  expect(await tokenOf('person-0')).toBe('of person-0');
  expect(asked).toHaveLength(102);
});
