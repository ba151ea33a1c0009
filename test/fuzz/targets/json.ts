import { verifyReceipt } from '../../../src/approval/receipts/verify-receipt.ts';
import { evidenceSchema } from '../../../src/approval/signature/statement.ts';
import { parseToolResult } from '../../../src/gateway/broker/mcp/answer.ts';
import { McpToolError } from '../../../src/gateway/broker/mcp/failure.ts';
import { NoResponseError } from '../../../src/gateway/broker/rest-client.ts';
import { gatewaySettingsSchema } from '../../../src/gateway/gateway-settings.ts';
import { parseLimits } from '../../../src/gateway/policy/files/next-rules.ts';
import { parseApprovalSubject } from '../../../src/home/identity-provider/approval-subject.ts';
import { parseAssertionField, parseRegistrationField } from '../../../src/home/phone/credential-json.ts';
import { toResultText } from '../../../src/mcp/client/connection.ts';
import { sanitizeTool } from '../../../src/mcp/client/tool-text.ts';
import { isWellFormed } from '../../../src/net/well-formed-json.ts';
import { tools } from '../../../src/tools/catalog.ts';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { messageDraftSchema } from '../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../src/trading/message-details.ts';
import { checkOrder, describeOrder, orderDraftSchema, orderRequestSchema } from '../../../src/trading/order.ts';
import { proposalRequestSchema } from '../../../src/trading/proposal.ts';
import { computeWorstCase } from '../../../src/trading/worst-case.ts';
import { draft, RESOURCE } from '../../integration/sandbox/identity-provider-fixture.ts';
import { proposalDetails, subjectOf } from '../../integration/sandbox/proposal-fixture.ts';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { signed } from '../../unit/approval/signature/signing-world.ts';

export type JsonReader = readonly [read: (value: unknown) => unknown, ...sound: readonly unknown[]];

const target = { resource: RESOURCE, now: Date.now() };
const details = proposalDetails('order', { locations: [RESOURCE] });
const messageDetails = buildMessageSendDetails(messageDraftSchema.parse(subjectOf('message')), {
  gateway: RESOURCE,
});
const authenticator = createAuthenticator();
const order = { symbol: 'KO', side: 'buy', qty: '1', type: 'limit', limit_price: '20' };
const bracket = { order_class: 'bracket', take_profit_limit_price: '25', stop_loss_stop_price: '15' };
const receipt = {
  signature: { protected: 'x', signature: 'x' },
  gateway: RESOURCE,
  proposal: details,
  orders: [],
  approvals: [],
  record: [],
};

/** Checks a draft as an approval does: words and worst case. */
function checkedDraft(value: unknown) {
  const parsed = orderDraftSchema.safeParse(value);
  if (!parsed.success) return;
  checkOrder(parsed.data);
  computeWorstCase(parsed.data);
  describeOrder(parsed.data);
}

export const jsonReaders: Readonly<Record<string, JsonReader>> = {
  'a proposal’s request': [
    (value) => proposalRequestSchema.safeParse(value),
    { kind: 'order', order, provenance: { sentence: 'buy 1 KO', fields: { qty: { source: 'user' } } } },
    { kind: 'batch', batch: { orders: [order, order], on_failure: 'stop' } },
    {
      kind: 'mandate',
      mandate: {
        ...{ symbols: ['KO'], max_order_notional: '1', max_total_notional: '1', max_orders: 1 },
        ...{ expires_at: '2027-01-01T00:00:00Z', cadence: 'day', price: { max: '30' } },
      },
    },
    { kind: 'replace', replace: { order_id: 'x', limit_price: '21' } },
    { kind: 'message', message: { service: 'slack', recipient: '#trading', text: 'hello' } },
    { kind: 'policy_change', policy_change: { limits: { max_order_notional: '5000' } } },
    { kind: 'access', access: { role: 'viewer', who: 'bob' } },
  ],
  'an order': [
    (value) => {
      const parsed = orderRequestSchema.safeParse(value);
      if (parsed.success) checkOrder(parsed.data);
    },
    order,
    { ...order, ...bracket },
    { symbol: 'BTC/USD', side: 'sell', notional: '5', type: 'market' },
    {
      symbol: 'AAPL261218C00190000',
      side: 'buy',
      qty: '1',
      type: 'limit',
      limit_price: '3.20',
      position_intent: 'buy_to_open',
    },
    { symbol: 'KO', side: 'sell', qty: '1', type: 'trailing_stop', trail_percent: '5', time_in_force: 'gtc' },
  ],
  'a drafted order': [checkedDraft, draft(), { ...draft(), ...bracket, type: 'limit', limit_price: '20' }],
  evidence: [(value) => evidenceSchema.safeParse(value), signed(authenticator, { ...details })],
  'a proposal’s details': [(value) => parseApprovalSubject(JSON.stringify([value]), target), details],
  'an order’s details': [
    (value) => parseApprovalSubject(JSON.stringify([value]), target),
    buildTradeOrderDetails(draft(), { gateway: RESOURCE }),
  ],
  'a message’s details': [(value) => parseApprovalSubject(JSON.stringify([value]), target), messageDetails],
  limits: [parseLimits, { max_order_notional: '5000', max_day_orders: 10, symbols: { allow: ['KO'] } }],
  'a gateway’s settings': [
    (value) => gatewaySettingsSchema.safeParse(value),
    { broker: { kind: 'alpaca', credentials: 'key_pair' }, environment: 'paper' },
    { brokers: { one: { kind: 'tradier', credentials: 'access_token' } } },
  ],
  'a receipt': [(value) => verifyReceipt(JSON.stringify(value), () => true), receipt],
  'an assertion': [(value) => parseAssertionField(JSON.stringify(value)), authenticator.assert('x')],
  'a registration': [(value) => parseRegistrationField(JSON.stringify(value)), { response: { id: 'x' } }],
  'what a tool is called with': [
    (value) => {
      for (const { schema } of tools) schema.safeParse(value);
    },
    order,
    { orders: [order] },
    { symbols: ['KO'], start: '2026-01-01', limit: 5 },
  ],
  'a tool of another’s server': [
    (value) => {
      if (typeof value !== 'object' || value === null) return;
      const { name, description, inputSchema } = value as Record<string, never>;
      // The protocol's own schema has been at it by then.
      if (typeof name !== 'string' || !['string', 'undefined'].includes(typeof description)) return;
      if (typeof inputSchema === 'object' && inputSchema !== null) sanitizeTool({ name, description, inputSchema });
    },
    {
      name: 'search',
      description: 'Searches the news.',
      inputSchema: {
        type: 'object',
        properties: { q: { type: 'string', description: 'x', enum: ['a'] } },
        required: ['q'],
      },
    },
  ],
  'a result of another’s server': [
    (value) => {
      if (!isWellFormed(value) || typeof value !== 'object' || value === null) return;
      const { content } = value as { content?: unknown };
      const texts = Array.isArray(content) ? content : [];
      if (!texts.every((part) => part?.type === 'text' && typeof part.text === 'string')) return;
      const result = { ...value, content: texts } as Parameters<typeof toResultText>[0];
      toResultText(result);
      try {
        parseToolResult(result, { at: '/error', status: '/status', code: '/code', message: '/message' } as never);
      } catch (error) {
        if (!(error instanceof McpToolError || error instanceof NoResponseError)) throw error;
      }
    },
    {
      content: [{ type: 'text', text: '{"a":{"b":[1]}}' }],
      structuredContent: { error: { status: 422, code: 'x', message: 'no' } },
    },
  ],
};
