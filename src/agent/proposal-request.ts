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
  type Provenance,
  SHORTEST_TTL_S,
} from '../trading/proposal.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import type { GraphEnvironment } from './graph-environment.ts';

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
  const provenance = provenanceFor(state);
  const base = {
    requested_by: requestedBy,
    ttl: Math.min(Math.max(ttl, SHORTEST_TTL_S), LONGEST_TTL_S),
    ...(provenance === undefined ? {} : { provenance }),
  };
  switch (tool?.risk) {
    case 'trade': {
      const { environment, max_slippage } = profile;
      return { kind: 'order', order: { ...readOrderRequest(args), environment, max_slippage }, ...base };
    }
    case 'send':
      return { kind: 'message', message: await summaryMessage(tool, args, gateway, clock.now()), ...base };
    case 'reduce':
      return { kind: 'cancel', cancel: { order_id: String(args.order_id) }, ...base };
    default:
      throw new TypeError('not a tool that proposes');
  }
}

/** Where each field comes from, and which outside text the conversation has heard. */
function provenanceFor({ tainted }: Pick<ProposalGraphValue, 'said' | 'tainted'>): Provenance | undefined {
  const sources = (tainted ?? []).slice(0, 10);
  return sources.length === 0 ? undefined : { fields: {}, tainted_by: sources };
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
