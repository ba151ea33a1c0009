import { randomUUID } from 'node:crypto';
import { MCP_SCOPES } from '../../../../src/oauth/scopes.ts';
import { dpopKey } from '../../gateway/support/dpop-key.ts';
import { request, tasksExtension } from '../../mcp/rpc.ts';
import type { Attempt, HostileWorld } from '../hostile-world.ts';
import type { KnownThings } from '../known-things.ts';
import { type Row, said, saidBy } from '../row.ts';
import { shown } from './proposals.ts';

const area = 'MCP';
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

/** What a call came to: its own error, or the protocol's. */
async function calledBy(response: Response): Promise<string> {
  const text = await response.text();
  const answer = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as {
    result?: { resultType?: string; structuredContent?: { status?: string; error?: string } };
  };
  const facts = answer.result?.structuredContent;
  if (facts?.error !== undefined) return facts.error;
  return answer.result === undefined ? said(response.status, text) : (facts?.status ?? 'answered');
}

export interface McpTokens {
  /** Another agent's of Alice's, and Bob's. */
  readonly herOther: string;
  readonly bobs: string;
  /** May look at the market alone. */
  readonly looks: string;
}

export function mcpRows(hostile: HostileWorld, { open, order }: KnownThings, tokens: McpTokens): Row[] {
  const { world, gateway } = hostile;
  const claims = (more: Record<string, unknown> = {}) => ({
    claims: { aud: `${gateway}/mcp`, client_id: 'helper-bot', scope: MCP_SCOPES.join(' '), ...more },
  });
  const now = Math.floor(Date.now() / 1000);
  const rows: Row[] = [];
  const door = (what: string, expected: string, attempt: Attempt, method = 'POST') =>
    rows.push({
      ...{ area, what, at: `${method} /mcp`, expected },
      attack: async () =>
        saidBy(
          await hostile.send(method, '/mcp', {
            mint: claims(),
            ...(method === 'POST' ? { body: list } : {}),
            ...attempt,
            headers: { ...json, ...attempt.headers },
          }),
        ),
    });
  for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {
    door('no token', '401 token_missing', { scheme: '', proof: async () => undefined }, method);
    door('a token for /v1', '401 token_audience', { mint: claims({ aud: gateway }) }, method);
    door('a token for both', '401 token_audience', { mint: claims({ aud: [gateway, `${gateway}/mcp`] }) }, method);
    door('a token of a session that has ended', '401 token_revoked', { mint: claims({ jti: randomUUID() }) }, method);
    door(
      'a page of another site',
      // The home's own door comes before the mount's, wherever something may change.
      method === 'GET' ? '403 origin_refused' : '403',
      { headers: { origin: 'https://evil.example' } },
      method,
    );
    if (method !== 'POST') door('a sound token', '405 -32000', {}, method);
  }
  door('a token that has expired', '401 token_expired', { mint: claims({ exp: now - 60 }) });
  door('a token of another issuer', '401 token_issuer', { mint: claims({ iss: 'http://127.0.0.1:1' }) });
  door('an ID token', '401 token_type', { mint: { ...claims(), header: { typ: 'JWT' } } });
  door('no client', '403 client_unknown', { mint: claims({ client_id: undefined }) });
  door('a bound token as Bearer', '401 token_bound', { scheme: 'Bearer' });
  door('no proof', '401 dpop_proof_missing', { proof: async () => undefined });
  door('a proof for /v1', '401 dpop_proof_url', {
    proof: ({ key }, t) => key.proof({ ...t, url: `${gateway}/v1` }),
  });
  door('a proof for another method', '401 dpop_proof_method', {
    proof: ({ key }, t) => key.proof({ ...t, method: 'GET' }),
  });
  door('a proof by another key', '401 dpop_key_mismatch', {
    proof: async (_, t) => (await dpopKey()).proof(t),
  });
  for (const origin of ['null', 'http://localhost:1', 'http://localhost.evil.example']) {
    door(`Origin: ${origin}`, '403', { headers: { origin } });
  }
  door('70,000 bytes', '413 body_too_large', { body: `{"a":"${'x'.repeat(70_000)}"}` });
  for (const [what, body, expected] of [
    ['half of a JSON text', '{"jsonrpc":', '400 -32700'],
    ['no JSON', 'tools/list', '400 -32700'],
    ['null', 'null', '400 -32600'],
    ['a number', '7', '400 -32600'],
    ['no version of the protocol', '{"id":1,"method":"tools/list"}', '400 -32600'],
    ['an object for an id', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', '400 -32600'],
  ] as const) {
    door(`a message: ${what}`, expected, { body });
  }
  door('said to be a text', '415 -32000', { headers: { 'content-type': 'text/plain' } });

  const tool = (who: keyof McpTokens, what: string, name: string, args: object, expected: string) =>
    rows.push({
      ...{ area, what, at: name, expected },
      async attack() {
        const asked = request(world.url, 'tools/call', { name, arguments: args }, tasksExtension);
        asked.headers.set('authorization', `Bearer ${tokens[who]}`);
        return calledBy(await fetch(asked));
      },
    });
  const buy = { symbol: 'KO', side: 'buy', qty: '1' };
  const cannot: readonly (readonly [name: string, args: object])[] = [
    ['get_portfolio', {}],
    ['list_orders', {}],
    ['list_proposals', {}],
    ['place_order', buy],
    ['cancel_order', { order_id: order.id }],
    ['replace_order', { order_id: order.id, limit_price: '21' }],
    ['close_position', { symbol: 'AAPL' }],
    ['check_approval', { proposal_id: open.proposal.id }],
    ['withdraw_proposal', { proposal_id: open.proposal.id }],
  ];
  for (const [name, args] of cannot)
    tool('looks', 'by an agent that may look at the market', name, args, 'insufficient_scope');
  for (const who of ['herOther', 'bobs'] as const) {
    const what = who === 'bobs' ? 'by an agent of Bob’s' : 'by another agent of Alice’s';
    for (const name of ['check_approval', 'withdraw_proposal']) {
      tool(who, `${what}, with the id of a proposal`, name, { proposal_id: open.proposal.id }, 'not_found');
    }
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      rows.push({
        ...{ area, what: `${what}, with the id of a proposal`, at: method, expected: '-32602' },
        async attack() {
          const asked = request(world.url, method, { taskId: open.proposal.id }, tasksExtension);
          asked.headers.set('authorization', `Bearer ${tokens[who]}`);
          return (await calledBy(await fetch(asked))).replace(/^\d+ /, '');
        },
      });
    }
  }
  tool('bobs', 'by an agent of Bob’s, with the id of an order', 'cancel_order', { order_id: order.id }, 'not_found');
  for (const name of ['transfer_money', 'approve', 'approve_proposal', 'PLACE_ORDER', '__proto__', 'constructor']) {
    tool('bobs', 'a tool that there is none of', name, {}, 'usage');
  }
  for (const [field, value] of [
    ...['', '0', '-1', '1e9', 'NaN', '５', 'all'].map((qty) => ['qty', qty] as const),
    ...[0.1 + 0.2, null, true, ['1'], {}].map((qty) => ['qty', qty] as const),
    ...['', 'КО', 'K\u200bO', '../KO', 'K'.repeat(12)].map((symbol) => ['symbol', symbol] as const),
    ...['', 'hold', 'BUY!', null].map((side) => ['side', side] as const),
    ...['account_of', 'mandate', 'approval', 'client_order_id', '__x', 'provenance', 'code'].map(
      (name) => [name, 'x'] as const,
    ),
  ]) {
    tool('bobs', `${field} ${shown(value)}`, 'place_order', { ...buy, [field]: value }, 'usage');
  }
  return rows;
}
