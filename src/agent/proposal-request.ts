import type { GatewayClient } from '../tools/gateway-client.ts';
import { connectionRequired } from '../tools/gateway-problem.ts';
import { type MessageTool, readMessageRequest } from '../tools/message-tool.ts';
import { readOrderRequest } from '../tools/place-order.ts';
import { compactSummary } from '../tools/portfolio-summary.ts';
import type { Tool } from '../tools/tool.ts';
import {
  LONGEST_TTL_S,
  type MessageRequest,
  type ProposalRequestInput,
  SHORTEST_TTL_S,
} from '../trading/proposal.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import type { Held } from './planner/position-part.ts';
import { orderDefaults, type ProvenanceInput, provenanceOf } from './provenance.ts';

/**
 * What a call asks of the gateway, whole. The gateway completes it (account, price, identifiers) and checks it.
 * @throws {TradeAgentError} `invalid_order`, `invalid_message`, `connection_required`, and what the gateway's reads throw
 */
export async function proposalRequest(
  environment: Pick<GraphEnvironment, 'profile' | 'clock' | 'requestedBy' | 'ttl'>,
  gateway: GatewayClient,
  tool: Tool | undefined,
  state: Pick<ProposalGraphValue, 'call' | 'said' | 'tainted'>,
): Promise<ProposalRequestInput> {
  const { profile, clock, requestedBy, ttl } = environment;
  const { args } = state.call;
  const base = {
    requested_by: requestedBy,
    ttl: Math.min(Math.max(ttl, SHORTEST_TTL_S), LONGEST_TTL_S),
  };
  switch (tool?.risk) {
    case 'trade': {
      const { environment: account, max_slippage } = profile;
      const order = { ...readOrderRequest(args), environment: account, max_slippage };
      const provenance = provenanceOf({
        ...heard(environment, state, order),
        kind: 'order',
        request: order,
        defaults: { ...orderDefaults, environment: account, max_slippage },
        ...(order.side === 'sell' ? { positions: await held(gateway) } : {}),
      });
      return { kind: 'order', order, provenance, ...base };
    }
    case 'send': {
      const message = await summaryMessage(tool, args, gateway, clock.now());
      const computed = { service: 'the tool', subject: 'portfolio summary', text: 'portfolio summary' };
      const provenance = provenanceOf({
        ...heard(environment, state, message),
        kind: 'message',
        request: message,
        computed,
      });
      return { kind: 'message', message, provenance, ...base };
    }
    case 'reduce': {
      const cancel = { order_id: String(args.order_id) };
      const openOrders = await gateway.orders().catch(() => []);
      const provenance = provenanceOf({
        ...heard(environment, state, cancel),
        kind: 'cancel',
        request: cancel,
        openOrders,
      });
      return { kind: 'cancel', cancel, provenance, ...base };
    }
    default:
      throw new TypeError('not a tool that proposes');
  }
}

/** Who of the program's own speaks for the person; any other prompt is put together by a rule. */
const spokenBy = ['chat', 'run'];

/** What was said, by whom, and which outside text the conversation has heard. */
function heard(
  { requestedBy }: Pick<GraphEnvironment, 'requestedBy'>,
  { said = [], tainted = [] }: Pick<ProposalGraphValue, 'said' | 'tainted'>,
  request: object,
): Pick<ProvenanceInput, 'userTurns' | 'from' | 'taintedBy' | 'computed'> {
  const base = { from: 'model', taintedBy: tainted };
  if (spokenBy.includes(requestedBy)) return { ...base, userTurns: said };
  const byRule = Object.fromEntries(Object.keys(request).map((field) => [field, requestedBy]));
  return { ...base, userTurns: [], computed: byRule };
}

/** What is held, by symbol; nothing where it can't be read: then nothing counts as computed from it. */
async function held(gateway: GatewayClient): Promise<Map<string, Held>> {
  const positions = await gateway.positions().catch(() => []);
  return new Map(positions.map(({ symbol, qty, qty_available }) => [symbol, { qty, qty_available }]));
}

/**
 * The text is put together here, from what the gateway says: of the model's own words it has at most the note, which
 * the person sees too.
 */
async function summaryMessage(
  tool: MessageTool,
  args: Record<string, unknown>,
  gateway: GatewayClient,
  now: number,
): Promise<MessageRequest> {
  const { service } = tool;
  const { recipient, note } = readMessageRequest(tool, args);
  // Before the person is asked: an approval that could not be carried out would be for nothing.
  if (!(await gateway.isConnected(service))) throw connectionRequired(service);
  const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
  return {
    service,
    recipient,
    ...(service === 'gmail'
      ? { subject: `Portfolio summary of ${new Date(now).toISOString().slice(0, 10)}` }
      : {}),
    text: compactSummary({ account, positions, now, note }),
  };
}
