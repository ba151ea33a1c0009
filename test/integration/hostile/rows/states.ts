import type { HostileWorld } from '../hostile-world.ts';
import { type KnownThings, limit } from '../known-things.ts';
import { type Row, rowOf, said, saidBy } from '../row.ts';
import { shown } from './proposals.ts';

const area = 'proposals: keys and states';

/** What can't be done to a proposal, however it stands; and what a key can't be, or can't be for. */
export function stateRows(hostile: HostileWorld, { states, open }: KnownThings): Row[] {
  const { alice, world } = hostile;
  const { phone } = world.sandbox.ready;
  const send = async (method: string, path: string, body?: unknown, headers = {}) => {
    const answer = await alice.send(method, path, body, headers);
    return said(answer.status, JSON.stringify(answer.body));
  };
  const tap = async (id: string, decision: string) =>
    saidBy(
      await fetch(new URL(`/phone/api/requests/${id}`, phone), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${world.sandbox.pairingSecret}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ decision }),
      }),
    );
  const of = rowOf(area);
  const propose = (request: object, key: string) => send('POST', '/v1/proposals', request, { 'idempotency-key': key });
  const at = 'POST /v1/proposals';
  const rows: Row[] = ['', 'a b', 'a/b', 'x'.repeat(65), 'a,b', '../a', '*'].map((key) =>
    of(`the key ${shown(key)}`, at, '400 idempotency_key_missing', () =>
      propose({ kind: 'order', order: limit('KO', '16') }, key),
    ),
  );
  const other: readonly (readonly [what: string, request: object])[] = [
    ['another quantity', { kind: 'order', order: { ...limit('KO', '20'), qty: '100' } }],
    ['another symbol', { kind: 'order', order: limit('PEP', '20') }],
    ['another kind', { kind: 'lift', lift: {} }],
  ];
  for (const state of ['executed', 'denied', 'cancelled', 'open'] as const) {
    for (const [what, request] of other) {
      rows.push(
        of(`the key of what is ${state}, for ${what}`, at, '409 idempotency_key_conflict', () =>
          propose(request, state),
        ),
      );
    }
  }
  const decided = 'POST /phone/api/requests/ID';
  const withdrawn = 'DELETE /v1/proposals/ID';
  const transitions: readonly (readonly [state: keyof typeof states, to: string, at: string, expected: string])[] = [
    ['executed', 'deny', decided, '409 already_decided'],
    ['denied', 'approve', decided, '409 already_decided'],
    ['cancelled', 'approve', decided, '410 withdrawn'],
    ['cancelled', 'deny', decided, '410 withdrawn'],
    ['executed', 'withdraw', withdrawn, '409 proposal_settled'],
    ['denied', 'withdraw', withdrawn, '409 proposal_settled'],
  ];
  for (const [state, to, at, expected] of transitions) {
    const { proposal, request } = states[state];
    rows.push(
      of(`what is ${state}: ${to}`, at, expected, () =>
        at === decided ? tap(request.id, to) : send('DELETE', `/v1/proposals/${proposal.id}`),
      ),
    );
  }
  const { id } = open.proposal;
  for (const method of ['PUT', 'PATCH', 'POST']) {
    rows.push(
      of('what is open: changed by its proposer', `${method} /v1/proposals/ID`, '404 not_found', () =>
        send(method, `/v1/proposals/${id}`, { order: limit('KO', '99') }),
      ),
    );
  }
  for (const path of ['approve', 'approval', 'decision', 'execute']) {
    const place = `POST /v1/proposals/ID/${path}`;
    rows.push(
      of('what is open: approved by its proposer', place, '404 not_found', () =>
        send('POST', `/v1/proposals/${id}/${path}`, { decision: 'approve' }),
      ),
    );
  }
  const placed = 'what is open: placed by its proposer’s session';
  rows.push(
    of(placed, 'POST /v1/orders', '403 insufficient_scope', () => send('POST', '/v1/orders', open.proposal.subject)),
  );
  for (const [what, token, body, expected] of [
    ['a guess', 'a-guess', { auth_req_id: open.request.id }, '204'],
    ['no token', '', { auth_req_id: open.request.id }, '401 token_missing'],
    ['no question', 'a-guess', {}, '401 token_missing'],
    [
      'an approval in it',
      'a-guess',
      { auth_req_id: open.request.id, access_token: 'mine', decision: 'approve' },
      '204',
    ],
  ] as const) {
    rows.push({
      ...{ area, what: `what is open: the provider’s call, by ${what}`, at: 'POST /ciba/ping' },
      expected: `${expected}, still open`,
      async attack() {
        const answer = await fetch(`${hostile.gateway}/ciba/ping`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        const { state } = await alice.proposal(open.proposal.id);
        return `${await saidBy(answer)}, ${state === 'requested' ? 'still open' : state}`;
      },
    });
  }
  return rows;
}
