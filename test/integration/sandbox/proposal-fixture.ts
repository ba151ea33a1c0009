import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import * as client from 'openid-client';
import { type ProposalDetails, proposalDigest } from '../../../src/approval/details.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { buildBindingMessage } from '../../../src/trading/approval-details.ts';
import { kinds, type ProposalKind } from '../../../src/trading/kinds/kinds.ts';
import type { MandateEnvelope } from '../../../src/trading/mandate/envelope.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { CIBA, draft, RESOURCE, type World } from './identity-provider-fixture.ts';

const inFiveMinutes = () => formatUtcSeconds(Date.now() + 300_000);

/** An open order as the gateway tells of it: a stop that protects five shares. */
export const stopOrder = anOrder({
  id: 'a0b1c2d3-0000-4000-8000-000000000001',
  client_order_id: 'ta-0123456789abcdef',
  side: 'sell',
  type: 'stop',
  limit_price: null,
  stop_price: '170.00',
  submitted_at: '2026-11-25T14:30:00Z',
});

const DAY_MS = 86_400_000;

export function mandateTerms(): MandateEnvelope {
  return {
    mandate_id: 'M-x9K2aB7cD1',
    account: 'PA3ALICE01',
    environment: 'paper',
    currency: 'USD',
    symbols: ['AAPL', 'MSFT'],
    sides: ['buy'],
    order_types: ['market', 'limit'],
    times_in_force: ['day'],
    max_order_notional: '200.00',
    max_day_notional: '400.00',
    max_total_notional: '2000.00',
    max_orders: 12,
    price: { AAPL: { min: '100', max: '250' } },
    max_slippage: '0.01',
    cadence: 'weekly',
    orders_per_slot: 1,
    not_before: formatUtcSeconds(Date.now()),
    expires_at: formatUtcSeconds(Date.now() + 29 * DAY_MS),
    agent_jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    policy: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  };
}

export function subjectOf(kind: ProposalKind): Record<string, unknown> {
  switch (kind) {
    case 'order':
      return { ...draft() };
    case 'message':
      return {
        service: 'slack',
        recipient: '#trading',
        text: 'Bought five.\nMore to come.',
        client_message_id: `tm-${randomUUID().replaceAll('-', '')}`,
        expires_at: inFiveMinutes(),
      };
    case 'cancel':
      return {
        account: 'PA3ALICE01',
        environment: 'paper',
        order: stopOrder,
        protects: true,
        client_cancel_id: 'tc-0123456789',
        expires_at: inFiveMinutes(),
      };
    case 'replace': {
      const { limit_price: _, ...stop } = draft({ side: 'sell', type: 'stop', time_in_force: 'gtc' });
      return {
        order: stopOrder,
        changes: { stop_price: '172.00' },
        draft: { ...stop, stop_price: '172.00' },
      };
    }
    case 'batch': {
      const sale = draft({ side: 'sell', client_order_id: 'ta-0123456789abcdef-1' });
      const purchase = draft({ symbol: 'MSFT', client_order_id: 'ta-0123456789abcdef-2' });
      const { account, environment, expires_at } = sale;
      return {
        account,
        environment,
        orders: [sale, { ...purchase, expires_at }],
        on_failure: 'stop',
        client_batch_id: 'ta-0123456789abcdef',
        expires_at,
      };
    }
    case 'mandate':
      return { ...mandateTerms(), price: { AAPL: { max: '250' } }, approve_by: inFiveMinutes() };
    case 'lift':
      return {
        halted_at: '2026-11-25T14:30:00Z',
        client_lift_id: 'tl-0123456789',
        expires_at: inFiveMinutes(),
      };
    case 'policy_change':
      return {
        account: 'PA3ALICE01',
        environment: 'paper',
        previous: 'A'.repeat(43),
        digest: 'B'.repeat(43),
        changes: ['looser: Maximum per order $1,000.00 → $5,000.00'],
        limits: { max_order_notional: '5000', max_day_orders: 10, symbols: { allow: ['AAPL'] } },
        policies: { 'no-options.cedar': '@id("no-options") forbid (principal, action, resource);' },
        client_policy_id: 'ta-0123456789',
        expires_at: inFiveMinutes(),
      };
    case 'access':
      return {
        account: 'alice',
        role: 'advisor',
        who: 'bob',
        of: 'acme',
        from: '2026-11-25T14:30:00Z',
        until: '2027-01-01T00:00:00Z',
        client_access_id: 'ta-0123456789',
        expires_at: inFiveMinutes(),
      };
  }
}

export function proposalDetails(kind: ProposalKind = 'order', changes: Partial<ProposalDetails> = {}): ProposalDetails {
  const details: ProposalDetails = {
    type: kinds[kind].detailsType,
    locations: [RESOURCE],
    actions: [kinds[kind].action],
    identifier: 'ta-0123456789abcdef',
    kind,
    proposal: `pr_${randomBytes(9).toString('hex')}`,
    code: 'K7QP',
    digest: '',
    expires_at: inFiveMinutes(),
    subject: subjectOf(kind),
    worst_case: kind === 'order' ? { cash: '900.00', price: '180.00', text: 'At most $900.00 in all' } : null,
    warnings: [],
    shows: {},
    requested_by: 'chat',
    client: 'trade-agent',
    provenance: null,
    nonce: randomBytes(16).toString('base64url'),
    ...changes,
  };
  return { ...details, digest: changes.digest ?? proposalDigest(details) };
}

export type GatewayAsking = Awaited<ReturnType<typeof gatewayAsking>>;

export async function gatewayAsking(world: World) {
  const config = await world.gatewayClient();
  const assertion = (claims: Record<string, unknown> = {}, lifetime = '1m') =>
    new SignJWT({ jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'gateway' })
      .setIssuer(String(claims.iss ?? 'trade-agent-gateway'))
      .setSubject(String(claims.sub ?? 'trade-agent-gateway'))
      .setAudience(String(claims.aud ?? world.issuer))
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .sign(world.gatewayKey.privateKey);
  const post = (form: Record<string, string>) =>
    fetch(`${world.issuer}/bc-outcome`, { method: 'POST', body: new URLSearchParams(form) });
  return {
    config,
    assertion,
    post,
    ask: (details: unknown, parameters: Record<string, string> = {}) => {
      const { code = '', kind } = { ...(details as Partial<ProposalDetails>) };
      return client.initiateBackchannelAuthentication(config, {
        scope: `openid ${kinds[kind ?? 'order'].scope}`,
        login_hint: 'alice',
        binding_message: buildBindingMessage('BUY 5 AAPL LMT 180.00', code),
        authorization_details: JSON.stringify([details]),
        client_notification_token: randomBytes(16).toString('hex'),
        resource: RESOURCE,
        ...parameters,
      });
    },
    poll: (authReqId: string) => client.genericGrantRequest(config, CIBA, { auth_req_id: authReqId }),
    tell: async (authReqId: string, state: string, text = '', more: Record<string, string> = {}) =>
      post({
        auth_req_id: authReqId,
        state,
        text,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(),
        ...more,
      }),
  };
}
