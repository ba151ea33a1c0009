import type { MessageRequest } from '../trading/kinds/message.ts';
import { checkRecipient, type MessageService } from '../trading/message.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { connectionRequired } from './gateway/gateway-problem.ts';
import { compactSummary } from './portfolio-summary.ts';

/**
 * A summary of the portfolio as a message. The text is put together here, from what the gateway says: of anybody's own
 * words it has at most the note, which the person sees too.
 * @param now milliseconds since the epoch
 * @throws {TradeAgentError} `invalid_message`, `connection_required`, and what the gateway's reads throw
 */
export async function summaryMessage(
  service: MessageService,
  { recipient, note }: { readonly recipient: string; readonly note: string | undefined },
  gateway: GatewayClient,
  now: number,
): Promise<MessageRequest> {
  checkRecipient(service, recipient);
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
