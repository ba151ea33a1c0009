import type { HostileWorld } from '../hostile-world.ts';
import type { KnownThings } from '../known-things.ts';
import { type Row, rowOf, said } from '../row.ts';

const about = [
  ...['GET /v1/accounts', 'GET /v1/account', 'GET /v1/positions', 'GET /v1/portfolio/history', 'GET /v1/activities'],
  ...['GET /v1/orders', 'GET /v1/orders/abc', 'DELETE /v1/orders/abc', 'GET /v1/watchlist', 'GET /v1/proposals'],
  ...['GET /v1/proposals/pr_0', 'DELETE /v1/proposals/pr_0', 'GET /v1/halt', 'PUT /v1/halt'],
];

export function otherPeopleRows({ bob }: HostileWorld, { states, order, mandate }: KnownThings): Row[] {
  const { id: proposal } = states.executed.proposal;
  const ids = { proposal, order: order.id, client_order_id: order.client_order_id, mandate };
  const area = 'gateway: other people';
  const sent = async (request: string) => {
    const [method = '', path = ''] = request.split(' ');
    const { status, body } = await bob.send(method, path);
    return said(status, JSON.stringify(body));
  };
  const of = rowOf(area);
  const rows = about.flatMap((request) =>
    ['alice', 'nobody', 'alice%00', 'ALICE', '*'].map((whose) => {
      const at = `${request}?for=${whose}`;
      return of(`Bob, of the account of ${whose}`, at, '403 policy_denied', () => sent(at));
    }),
  );
  const requests: readonly (readonly [request: string, id: keyof typeof ids, expected: string])[] = [
    ['GET /v1/proposals/', 'proposal', '404 not_found'],
    ['DELETE /v1/proposals/', 'proposal', '404 not_found'],
    ['GET /v1/orders/', 'order', '404 not_found'],
    ['DELETE /v1/orders/', 'order', '404 not_found'],
    ['GET /v1/orders:by_client_order_id?client_order_id=', 'client_order_id', '404 not_found'],
    ['GET /v1/receipts/', 'proposal', '404 not_found'],
    ['GET /v1/receipts/', 'client_order_id', '404 not_found'],
    ['GET /v1/mandates/', 'mandate', '404 not_found'],
    ['DELETE /v1/mandates/', 'mandate', '404 not_found'],
    ['DELETE /v1/access/', 'proposal', '404 not_found'],
    ['GET /v1/messages/', 'proposal', '404 not_found'],
  ];
  for (const [request, id, expected] of requests)
    rows.push(
      of(`Bob, with Alice’s ${id}`, request.replace(/[/=]$/, ''), expected, () => sent(`${request}${ids[id]}`)),
    );
  rows.push(
    of('Bob, a mandate of Alice’s suspended', 'PUT /v1/mandates', '404 not_found', () =>
      sent(`PUT /v1/mandates/${mandate}/suspension`),
    ),
  );
  rows.push(
    of('Bob, tightening Alice’s limits', 'PUT /v1/policy?for=alice', '400 invalid_query', async () => {
      const change = { base: 'A'.repeat(43), limits: { max_order_notional: '1' } };
      const { status, body } = await bob.send('PUT', '/v1/policy?for=alice', change);
      return said(status, JSON.stringify(body));
    }),
  );
  rows.push(
    of('Bob, with a rule of his own that has no @id', 'PUT /v1/policy', '422 invalid_policy', async () => {
      const { digest: base, account } = (await bob.send('GET', '/v1/policy')).body as Record<string, string>;
      const rule = `forbid (principal, action in Action::"trade", resource == Account::"${account}");`;
      const { status, body } = await bob.send('PUT', '/v1/policy', { base, policies: { 'own.cedar': rule } });
      return said(status, JSON.stringify(body));
    }),
    ...[
      ['a halt lifted that there is none of', '409 not_halted', {}],
      ['a halt lifted by force', '400 invalid_proposal', { lift: { force: true } }],
    ].map(([what, expected, payload]) =>
      of(`Bob, with ${what}`, 'POST /v1/proposals', String(expected), async () => {
        const { status, body } = await bob.ask(
          { kind: 'lift', ...(payload as object) },
          `bob-${what}`.slice(0, 20).replaceAll(' ', '-'),
        );
        return said(status, JSON.stringify(body));
      }),
    ),
  );
  const proposals = {
    order: { symbol: 'KO', side: 'buy', qty: '1' },
    lift: {},
    access: { role: 'advisor', who: 'bob' },
    cancel: { order_id: 'x' },
  };
  for (const [kind, subject] of Object.entries(proposals))
    rows.push(
      of(`Bob, proposing for Alice: ${kind}`, 'POST /v1/proposals', '403 policy_denied', async () => {
        const { status, body } = await bob.ask({ kind, [kind]: subject, for: 'alice' }, `bob-${kind}`);
        return said(status, JSON.stringify(body));
      }),
    );
  return rows;
}
