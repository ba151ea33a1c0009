import { isTradeAgentError } from '../../errors/errors.ts';
import { checkMessage, type MessageDraft, messageDraftSchema } from '../../trading/message.ts';
import { messageSendDetails, messageSendDetailsSchema } from '../../trading/message-details.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { approvedDetails, issueFields, requireApproved } from '../door/approved-details.ts';
import type { Caller } from '../door/caller.ts';

/** A message that its sender approved, to the last character. */
export interface ApprovedMessage {
  readonly draft: MessageDraft;
  readonly digest: string;
}

/**
 * Compares the message of a request with the approved details inside the token.
 * @throws {Refusal} 400 `invalid_message`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 *   `details_mismatch`
 */
export function approvedMessage(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedMessage {
  const kind = {
    type: target.type,
    schema: messageSendDetailsSchema,
    scope: 'messages:write',
    noun: 'message',
  } as const;
  const approved = approvedDetails(caller, kind);
  const draft = parseMessage(body);
  const demanded = messageSendDetails(draft, target);
  requireApproved(approved, demanded, kind);
  return { draft, digest: demanded.digest };
}

function parseMessage(body: unknown): MessageDraft {
  const parsed = messageDraftSchema.safeParse(body);
  if (!parsed.success) {
    const fields = issueFields(parsed.error.issues);
    throw new Refusal(
      400,
      'invalid_message',
      `the message is malformed: ${fields.join(', ') || 'not an object'}`,
      { fields },
    );
  }
  try {
    checkMessage(parsed.data);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { field } = error.details;
    throw new Refusal(400, 'invalid_message', error.message, {
      ...defined({ hint: error.hint }),
      ...(typeof field === 'string' ? { fields: [field] } : {}),
    });
  }
  return parsed.data;
}
