import type { HostileWorld } from '../hostile-world.ts';
import type { KnownThings } from '../known-things.ts';
import { type Row, said } from '../row.ts';

const about = [
  ...[
    'GET /v1/accounts',
    'GET /v1/account',
    'GET /v1/positions',
    'GET /v1/portfolio/history',
    'GET /v1/activities',
  ],
  ...[
    'GET /v1/orders',
    'GET /v1/orders/abc',
    'DELETE /v1/orders/abc',
    'GET /v1/watchlist',
    'GET /v1/proposals',
  ],
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
  const rows: Row[] = [];
  for (const request of about) {
    for (const whose of ['alice', 'nobody', 'alice%00', 'ALICE', '*']) {
      rows.push({
        ...{
          area,
          what: `Bob, of the account of ${whose}`,
          at: `${request}?for=${whose}`,
          expected: '403 policy_denied',
        },
        attack: () => sent(`${request}?for=${whose}`),
      });
    }
  }
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
  for (const [request, id, expected] of requests) {
    rows.push({
      ...{ area, what: `Bob, with Alice’s ${id}`, at: request.replace(/[/=]$/, ''), expected },
      attack: () => sent(`${request}${ids[id]}`),
    });
  }
  rows.push({
    ...{
      area,
      what: 'Bob, a mandate of Alice’s suspended',
      at: 'PUT /v1/mandates',
      expected: '404 not_found',
    },
    attack: () => sent(`PUT /v1/mandates/${mandate}/suspension`),
  });
  for (const kind of ['order', 'lift', 'access', 'cancel'] as const) {
    const subject = {
      order: { symbol: 'KO', side: 'buy', qty: '1' },
      lift: {},
      access: { role: 'advisor', who: 'bob' },
      cancel: { order_id: 'x' },
    }[kind];
    rows.push({
      ...{
        area,
        what: `Bob, proposing for Alice: ${kind}`,
        at: 'POST /v1/proposals',
        expected: '403 policy_denied',
      },
      async attack() {
        const key = { 'idempotency-key': `bob-${kind}` };
        const { status, body } = await bob.send(
          'POST',
          '/v1/proposals',
          { kind, [kind]: subject, for: 'alice' },
          key,
        );
        return said(status, JSON.stringify(body));
      },
    });
  }
  return rows;
}
