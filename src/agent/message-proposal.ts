import type { GatewayClient } from '../tools/gateway-client.ts';
import { connectionRequired } from '../tools/gateway-problem.ts';
import { type MessageTool, readMessageRequest } from '../tools/message-tool.ts';
import { compactSummary } from '../tools/portfolio-summary.ts';
import { utcSeconds } from '../trading/clock.ts';
import { checkMessage, type MessageDraft } from '../trading/message.ts';

/**
 * Completes a request to the message the person will approve. The text is put together here, from what the gateway
 * says: of the model's own words it has at most the note, which the person sees too.
 * @throws {TradeAgentError} `invalid_message`, `connection_required`, and what the gateway's reads throw
 */
export async function draftMessage(
  tool: MessageTool,
  args: Record<string, unknown>,
  gateway: GatewayClient,
  options: { clientMessageId: string; now: number; ttlSeconds: number },
): Promise<MessageDraft> {
  const { service } = tool;
  const { recipient, note } = readMessageRequest(tool, args);
  // Before the person is asked: an approval that could not be carried out would be for nothing.
  if (!(await gateway.isConnected(service))) throw connectionRequired(service);
  const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
  const draft: MessageDraft = {
    service,
    recipient,
    ...(service === 'gmail'
      ? { subject: `Portfolio summary of ${new Date(options.now).toISOString().slice(0, 10)}` }
      : {}),
    text: compactSummary({ account, positions, now: options.now, note }),
    client_message_id: options.clientMessageId,
    expires_at: utcSeconds(options.now + options.ttlSeconds * 1000),
  };
  checkMessage(draft);
  return draft;
}
