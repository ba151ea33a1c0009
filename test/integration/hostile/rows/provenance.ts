import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import { MCP_CLIENT_PREFIX, type Provenance } from '../../../../src/trading/proposal.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { limit } from '../known-things.ts';
import { type Row, rowOf, said, saidBy } from '../row.ts';

/** What Bob's key signed, although its code had to be typed. */
export const SIGNED_WITHOUT_CODE = 'ta-hostile-no-code';

type Fields = Provenance['fields'];
const user = { source: 'user' } as const;
const model = { source: 'other', from: 'model' } as const;
const all = (source: Fields[string]): Fields => ({
  ...{ symbol: source, side: source, qty: source, type: source, limit_price: source },
});
const forwarded = { source: 'other', from: `${MCP_CLIENT_PREFIX}claude` } as const;

/** Orders that decide nothing of what the owner said, after outside text. */
const unsaid: readonly (readonly [what: string, fields: Fields])[] = [
  ['every field is the model’s', all(model)],
  ['no field has a stated source', {}],
  ['the side alone is the owner’s', { ...all(model), side: user }],
  ['the side, the type and the price alone are', { ...all(model), side: user, type: user, limit_price: user }],
  ['all is a default', all({ source: 'default' })],
  ['the quantity is computed from a position', { ...all(model), qty: { source: 'computed', from: 'position' } }],
  ['every field is a web page’s', all({ source: 'other', from: 'web page' })],
];

/** Orders that are not their owner's, of Bob: what nobody said, and what needs a code that nobody gave. */
export async function provenanceRows(hostile: HostileWorld): Promise<{ rows: Row[]; denied: string }> {
  const { world, bob, gateway, draft, mint, send } = hostile;
  const { issuer } = world.sandbox.ready;
  const { digest: base, limits } = (await bob.send('GET', '/v1/policy')).body as { digest: string; limits: object };
  await bob.send('PUT', '/v1/policy', { base, limits: { ...limits, own_words: true, number_matching_above: '500' } });
  const row = rowOf('provenance: whose order it is');
  const at = 'POST /v1/proposals';
  const tainted = (what: string, request: object, expected = '403 PROVENANCE_NOT_OWN_WORDS') =>
    row(`after outside text, ${what}`, at, expected, async () => {
      const { status, body } = await bob.ask(request as Parameters<typeof bob.ask>[0], randomUUID());
      return said(status, JSON.stringify({ code: body.reason ?? body.code }));
    });
  const after = { tainted_by: ['MCP server news'] };
  const order = limit('PEP', '20');

  const asked = async (symbol: string) => {
    const provenance = { fields: all(forwarded) };
    const { id, code } = await bob.propose({ kind: 'order', order: limit(symbol, '20'), provenance });
    for (;;) {
      const found = (await world.phone.requests('bob', { waitSeconds: 10 })).find(
        ({ details }) => details.proposal === id,
      );
      if (found !== undefined) return { id, code, request: found };
    }
  };
  const [one, other] = [await asked('PEP'), await asked('MCD')];
  const key = deriveSoftwareKey(world.sandbox.pairingSecret, 'bob');
  const approve = (what: string, expected: string, typed: string | undefined, stated = typed ?? one.code) =>
    row(`another agent’s order: ${what}`, 'POST /phone/api/requests/ID', expected, async () => {
      const evidence = key.sign({ ...one.request.details, code: stated }, { origin: new URL(issuer).origin });
      const body = { decision: 'approve', evidence, ...(typed === undefined ? {} : { code: typed }) };
      return saidBy(
        await fetch(`${issuer}/phone/api/requests/${one.request.id}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${world.sandbox.pairingSecret}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      );
    });
  const wrong = one.code === '0000' ? '1111' : '0000';
  const jti = decodeJwt(await world.token('helper-bot', 'bob', { resource: gateway, scopes: ['orders:read'] })).jti;
  const { body: account } = await bob.send('GET', '/v1/account');

  const rows = [
    ...unsaid.map(([what, fields]) => tainted(what, { kind: 'order', order, provenance: { fields, ...after } })),
    tainted('the orders of a batch are the model’s', {
      kind: 'batch',
      batch: { orders: [order, limit('MCD', '20')] },
      provenance: { fields: { orders: model }, ...after },
    }),
    approve('approved with its signature, and no code', '422 no_code', undefined),
    approve('approved with a code of nothing', '422 no_code', ''),
    approve('approved with a wrong code', '422 wrong_code', wrong),
    approve('approved with a wrong code, and its own in the signature', '422 wrong_code', wrong, one.code),
    approve('approved with the code of another request, at the third try', '422 wrong_code_too_often', other.code),
    approve('approved with its own code, after three others', '409 already_decided', one.code),
    row(
      'another agent’s order that it had approved without a code',
      'POST /v1/orders',
      '403 policy_denied',
      async () => {
        const placed = draft({
          account: String(account.account),
          client_order_id: SIGNED_WITHOUT_CODE,
        });
        const details = buildTradeOrderDetails(placed, { gateway, code: '7K3M' });
        const evidence = key.sign({ ...details }, { origin: new URL(issuer).origin });
        const who = { sub: 'bob', client_id: 'helper-bot', jti, scope: 'openid orders:write' };
        const claims = { ...who, authorization_details: [details], approval_evidence: evidence };
        return saidBy(
          await send('POST', '/v1/orders', { token: await mint({ claims }), body: JSON.stringify(placed) }),
        );
      },
    ),
  ];
  return { rows, denied: one.id };
}
