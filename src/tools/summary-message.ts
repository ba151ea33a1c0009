import type { MessageRequest } from '../trading/kinds/message.ts';
import { checkRecipient, type MessageService } from '../trading/message.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { connectionRequired } from './gateway/gateway-problem.ts';
import { compactSummary } from './portfolio-summary.ts';

/**
 * Composes the text from the gateway's figures; only the note is free text, which the person sees on the phone.
 * @param now epoch milliseconds
 * @throws {TradeAgentError} `invalid_message`, `connection_required`, and what the gateway's reads throw
 */
export async function summaryMessage(
  service: MessageService,
  { recipient, note }: { readonly recipient: string; readonly note: string | undefined },
  gateway: GatewayClient,
  now: number,
): Promise<MessageRequest> {
  checkRecipient(service, recipient);
  // Checked first: an approval that can't be executed would be useless.
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
