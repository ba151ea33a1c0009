import { splitAccountArgument } from '../../tools/account-argument.ts';
import { type ClosingOrder, closePosition, readClosingOrder } from '../../tools/close-position.ts';
import { MCP_SERVER_PREFIX } from '../../tools/foreign-tools.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { parseMessageRequest } from '../../tools/message-tool.ts';
import { parseOrderRequest } from '../../tools/place-order.ts';
import { parseBatchRequest, placeOrders } from '../../tools/place-orders.ts';
import { parseReplaceRequest, replaceOrder } from '../../tools/replace-order.ts';
import { composeSummary } from '../../tools/summary-message.ts';
import type { Tool } from '../../tools/tool.ts';
import type { OrderRequest } from '../../trading/order.ts';
import { orderDefaults } from '../../trading/order-defaults.ts';
import {
  MAX_TTL_S,
  type MandateReference,
  MIN_TTL_S,
  type ProposalKind,
  type ProposalRequestInput,
  type Provenance,
} from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import { markComputed } from './derived-provenance.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { computeProvenance, isDictated, type ProvenanceInput } from './provenance.ts';
import { attributeRebalancing } from './rebalancing.ts';
import { createStandingOrderRequest } from './standing-request.ts';

/**
 * Returns the complete request for a call. The gateway adds the account, price and identifiers, and validates the
 * request.
 * @throws {TradeAgentError} `invalid_order`, `invalid_message`, `connection_required`; `blocked`, `usage` for a
 * standing order that the person did not ask for; any error of a request to the gateway
 */
export async function createProposalRequest(
  environment: Pick<
    GraphEnvironment,
    'profile' | 'clock' | 'model' | 'requestedBy' | 'ttl' | 'approvalMode' | 'mandates'
  >,
  ofPerson: GatewayClient,
  tool: Tool | undefined,
  state: Pick<ProposalGraphValue, 'call' | 'facts' | 'tainted'>,
): Promise<ProposalRequestInput> {
  const { profile, clock, requestedBy, ttl } = environment;
  const under = (order: OrderRequest) => mandateOptions(environment, order);
  const { args, gateway, account: entry } = await splitAccountArgument(ofPerson, state.call.args);
  const account = entry === undefined ? {} : { account: entry.account };
  const named = defined({ account: entry });
  const base = {
    requested_by: requestedBy,
    ttl: Math.min(Math.max(ttl, MIN_TTL_S), MAX_TTL_S),
  };
  switch (tool?.risk) {
    case 'trade': {
      if (tool.name === replaceOrder.name) {
        const replace = { ...account, ...parseReplaceRequest(args) };
        return {
          kind: 'replace',
          replace,
          ...base,
          provenance: requestProvenance(state, 'replace', replace, named),
        };
      }
      const { environment, max_slippage } = profile;
      if (tool.name === placeOrders.name) {
        const { orders: asked, on_failure } = parseBatchRequest(args);
        const batch = {
          orders: asked.map((order) => ({ ...order, ...account, environment, max_slippage })),
          on_failure,
        };
        const provenance = withSaidOrders(
          requestProvenance(state, 'batch', batch, { defaults: { on_failure: 'stop' } }),
          batch.orders.map((order) => {
            const defaults = { ...orderDefaults(order.symbol), environment, max_slippage };
            return requestProvenance(state, 'order', order, { defaults });
          }),
        );
        return { kind: 'batch', batch, ...base, provenance: withRebalancing(state, provenance, asked) };
      }
      if (tool.name === closePosition.name) {
        const { order: closing, computed, held } = await readClosingOrder(args, gateway);
        const order = { ...closing, ...account, environment, max_slippage };
        const defaults = { ...orderDefaults(order.symbol), environment, max_slippage };
        const provenance = requestProvenance(withPosition(state, held), 'order', order, {
          defaults,
          computed,
          ...named,
        });
        return {
          kind: 'order',
          order,
          ...base,
          provenance: withSideFromPosition(provenance, computed),
          ...under(order),
        };
      }
      const asked = parseOrderRequest(args);
      const order = { ...asked, ...account, environment, max_slippage };
      const defaults = { ...orderDefaults(order.symbol), environment, max_slippage };
      return {
        kind: 'order',
        order,
        ...base,
        provenance: withComputed(state, requestProvenance(state, 'order', order, { defaults, ...named }), asked),
        ...under(order),
      };
    }
    case 'send': {
      const { service } = tool;
      const asked = parseMessageRequest(tool, args);
      const message = await composeSummary(service, asked, gateway, clock.now());
      const rule = 'the portfolio when it was proposed';
      const text = summaryTextRule(rule, asked.note, state.facts);
      const computed = { service: tool.name, subject: rule, ...defined({ text }) };
      return {
        kind: 'message',
        message,
        ...base,
        provenance: requestProvenance(state, 'message', message, { computed }),
      };
    }
    case 'mandate':
      return {
        kind: 'mandate',
        ...base,
        ...(await createStandingOrderRequest(environment, gateway, { ...state, args, account: entry })),
      };
    case 'reduce': {
      const cancel = { ...account, order_id: String(args.order_id) };
      return {
        kind: 'cancel',
        cancel,
        ...base,
        provenance: requestProvenance(state, 'cancel', cancel, named),
      };
    }
    default:
      throw new TypeError('not a tool that proposes');
  }
}

/** Returns the rule's name for a summary's text, or undefined if the text has a note that the person did not say. */
function summaryTextRule(
  rule: string,
  note: string | undefined,
  { said, composedBy }: ProposalGraphValue['facts'],
): string | undefined {
  if (note === undefined) return rule;
  return composedBy === undefined && isDictated(said, note) ? `${rule}, with your own note` : undefined;
}

function withPosition<State extends Pick<ProposalGraphValue, 'facts'>>(
  state: State,
  held: ClosingOrder['held'],
): State {
  const others = state.facts.positions.filter(({ symbol }) => symbol !== held.symbol);
  return { ...state, facts: { ...state.facts, positions: [...others, held] } };
}

/** Records that a closing order's side was computed from the position, unless the person named the side. */
function withSideFromPosition({ fields, ...rest }: Provenance, { side }: ClosingOrder['computed']): Provenance {
  if (side === undefined || fields.side?.source === 'user') return { ...rest, fields };
  return { ...rest, fields: { ...fields, side: { source: 'computed', from: side } } };
}

/** Attributes a batch's orders to the person if the person named every field of each order. */
function withSaidOrders({ fields, ...rest }: Provenance, orders: readonly Provenance[]): Provenance {
  const areSaid = orders.every((order) => Object.values(order.fields).every(({ source }) => source !== 'other'));
  if (!areSaid || fields.orders?.source !== 'other') return { ...rest, fields };
  return { ...rest, fields: { ...fields, orders: { source: 'user' } } };
}

/** Records what our code computed for a single order from the person's own words. */
function withComputed(
  state: Pick<ProposalGraphValue, 'facts'>,
  provenance: Provenance,
  order: OrderRequest,
): Provenance {
  const { facts } = state;
  const said = facts.composedBy === undefined ? facts.said : [];
  return markComputed(withRebalancing(state, provenance, [order]), said, facts, order);
}

/** Records which orders come from a rebalancing to targets that the person named, instead of a program's targets. */
function withRebalancing(
  { facts }: Pick<ProposalGraphValue, 'facts'>,
  provenance: Provenance,
  orders: readonly OrderRequest[],
): Provenance {
  const { rebalancing, said, composedBy } = facts;
  return attributeRebalancing(provenance, rebalancing, composedBy === undefined ? said : [], orders);
}

/** Returns the mandate under which the order may be placed. The model never chooses the mandate. */
function mandateOptions(
  { approvalMode, mandates = [] }: Pick<GraphEnvironment, 'approvalMode' | 'mandates'>,
  { symbol, side }: OrderRequest,
): MandateReference {
  const found = mandates.find(({ symbols, sides }) => symbols.includes(symbol) && sides.includes(side));
  const under = found === undefined ? {} : { mandate: found.mandate, ...defined({ slot: found.slot }) };
  return approvalMode === 'mandate' ? { mandate: 'any', ...under, approval: 'mandate' } : under;
}

/**
 * Returns the source of the fields that the person did not specify. If the conversation contains text from other
 * servers, the source names those servers, because the model may have taken the values from that text.
 */
function unsaidFieldSource(tainted: readonly string[]): string {
  const servers = tainted.flatMap((source) =>
    source.startsWith(MCP_SERVER_PREFIX) ? [source.slice(MCP_SERVER_PREFIX.length)] : [],
  );
  return servers.length === 0 ? 'model' : `${MCP_SERVER_PREFIX}${servers.join(', ')}`;
}

function requestProvenance(
  { facts, tainted }: Pick<ProposalGraphValue, 'facts' | 'tainted'>,
  kind: ProposalKind,
  request: Readonly<Record<string, unknown>>,
  more: Pick<ProvenanceInput, 'defaults' | 'computed' | 'account'> = {},
): Provenance {
  const { said, composedBy, positions, names, openOrders } = facts;
  const composed =
    composedBy === undefined ? {} : Object.fromEntries(Object.keys(request).map((name) => [name, composedBy]));
  return computeProvenance({
    kind,
    request,
    userTurns: composedBy === undefined ? said : [],
    from: unsaidFieldSource(tainted ?? []),
    taintedBy: tainted ?? [],
    positions: new Map(positions.map(({ symbol, ...held }) => [symbol, held])),
    ...defined({ names }),
    openOrders,
    ...more,
    computed: { ...composed, ...more.computed },
  });
}
