import { createHash, randomUUID } from 'node:crypto';
import { attempt, claimsOf, type Ground, variants } from '../../home/companies/assertion-variants.ts';
import { dpopProof, newKey, type Redeemed, redeem } from '../../home/companies/company-issuer.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { type Row, rowOf, said, saidBy } from '../row.ts';

const area = 'company sign-in';

/** By those who have something of a company's: an assertion, a client, a token. */
export async function companyRows({ world, parties, gateway }: HostileWorld): Promise<Row[]> {
  const { issuer } = world.sandbox.ready;
  const ground: Ground = { ...parties, issuer, resource: gateway };
  const answer = ({ status, body }: Redeemed) => said(status, JSON.stringify(body));
  const of = rowOf(area);
  const { acme, client } = parties;
  const used = await acme.sign(claimsOf(ground));
  const token = async (changes: object = {}) => {
    const { body } = await redeem(issuer, client, await acme.sign(claimsOf(ground, changes)));
    return String(body.access_token);
  };
  const [own, forMcp] = [await token({ scope: 'market:read' }), await token({ resource: `${gateway}/mcp` })];
  const proposing = await token({ scope: 'market:read orders:propose' });
  const send = async (method: string, path: string, given: string, key = client.dpop, body?: object) => {
    const url = `${gateway}${path}`;
    const ath = createHash('sha256').update(given).digest('base64url');
    const dpop = await dpopProof(key, method, url, { ath });
    const json = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const headers = { authorization: `DPoP ${given}`, dpop, ...(body === undefined ? {} : json) };
    return saidBy(await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
  };
  const order = { symbol: 'KO', side: 'buy', qty: '1' };
  const kinds = {
    policy_change: { base: 'A'.repeat(43), limits: {} },
    access: { role: 'co_owner', who: 'mallory' },
    lift: {},
    batch: { orders: [order, { ...order, symbol: 'PEP' }] },
  };
  const thief = await newKey('thief');
  await redeem(issuer, client, used);
  return [
    ...variants.map(([what, variant, error]) =>
      of(
        `an identity assertion that ${what}`,
        'POST /token',
        `${error === 'invalid_client' ? 401 : 400} ${error}`,
        async () => answer(await attempt(ground, variant)),
      ),
    ),
    of('an identity assertion that was redeemed before', 'POST /token', '400 invalid_grant', async () =>
      answer(await redeem(issuer, client, used)),
    ),
    of('a company’s token by another key', 'GET /v1/clock', '401 dpop_key_mismatch', () =>
      send('GET', '/v1/clock', own, thief),
    ),
    of('a company’s token for /mcp', 'GET /v1/clock', '401 token_audience', () => send('GET', '/v1/clock', forMcp)),
    of('a company’s token that may look at the market alone', 'GET /v1/orders', '403 insufficient_scope', () =>
      send('GET', '/v1/orders', own),
    ),
    ...Object.entries(kinds).map(([kind, subject]) =>
      of(`a company’s program proposes the kind ${kind}`, 'POST /v1/proposals', '403 client_not_allowed', () =>
        send('POST', '/v1/proposals', proposing, client.dpop, { kind, [kind]: subject }),
      ),
    ),
    of('a company’s token as a subject to exchange', 'POST /token', '400 invalid_request', async () =>
      answer(
        await redeem(issuer, client, own, {
          parameters: {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            ...{ assertion: undefined, subject_token: own },
          },
        }),
      ),
    ),
  ];
}
