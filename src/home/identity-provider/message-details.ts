import { differingFields } from '../../trading/approval-details.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { type MessageDraft, messageDraftSchema } from '../../trading/message.ts';
import {
  MESSAGE_SEND_TYPE,
  type MessageSendDetails,
  messageSendDetails,
  messageSendDetailsSchema,
} from '../../trading/message-details.ts';
import { onlyObject, UnacceptableDetails, wrongFields } from './order-details.ts';

/**
 * The one message a CIBA request asks for: as with an order, every field is checked and the digest recomputed here.
 * @param target the gateway's resource identifier, and now in milliseconds since the epoch
 * @throws {UnacceptableDetails}
 */
export function readMessageDetails(
  text: unknown,
  target: { resource: string; now: number },
): MessageSendDetails {
  const detail = onlyObject(text);
  const parsed = messageSendDetailsSchema.safeParse(detail);
  if (!parsed.success) throw new UnacceptableDetails(`not a complete message: ${wrongFields(parsed.error)}`);
  const differing = differingFields(detail, recompute(messageOf(parsed.data), target.resource));
  if (differing.length > 0) {
    throw new UnacceptableDetails(
      `these fields are not what the message and the gateway demand: ${differing.join(', ')}`,
    );
  }
  if (Date.parse(parsed.data.expires_at) <= target.now)
    throw new UnacceptableDetails('expires_at has passed');
  return parsed.data;
}

/** The message inside the details. */
export function messageOf(details: MessageSendDetails): MessageDraft {
  const { type: _, locations: __, actions: ___, identifier: ____, digest: _____, ...draft } = details;
  return messageDraftSchema.parse(draft);
}

function recompute(draft: MessageDraft, gateway: string): Record<string, unknown> {
  try {
    return messageSendDetails(draft, { gateway, type: MESSAGE_SEND_TYPE });
  } catch (error) {
    if (isTradeAgentError(error)) throw new UnacceptableDetails(error.message);
    throw error;
  }
}
