import { type MessageRequest, message } from '../../../trading/kinds/message.ts';
import {
  checkMessage,
  describeMessage,
  type MessageDraft,
  type SentMessage,
} from '../../../trading/message.ts';
import { messageDigest } from '../../../trading/message-details.ts';
import type { Approved, Kind, Proposer } from '../../kind.ts';
import { executionOf, refusalOf } from '../execution.ts';

/** How messages go out; the gateway's message desk. Everything here throws only `Refusal`s. */
export interface MessagePorts {
  /** @throws {Refusal} 409 `account_not_connected`, 422 `service_not_available` */
  requireConnected(draft: MessageDraft, proposer: Proposer): Promise<void>;
  /** Sends it, once at most. @throws {Refusal} 504 `outcome_unknown` (`final` where nobody will ever know), and others */
  send(approved: { draft: MessageDraft; digest: string }, owner: Approved): Promise<SentMessage>;
  /** @throws {Refusal} 404 `not_found` where it was never sent, 504 `outcome_unknown` */
  outcome(asker: Proposer, clientMessageId: string): Promise<SentMessage>;
}

/** A message in the person's own name. */
export function messageKind(ports: MessagePorts): Kind<MessageRequest, MessageDraft, SentMessage> {
  return {
    ...message,
    async complete(request, { proposer, subjectId, expiresAt }) {
      const draft: MessageDraft = { ...request, client_message_id: subjectId, expires_at: expiresAt };
      try {
        checkMessage(draft);
      } catch (error) {
        throw refusalOf(error);
      }
      // Before the person is asked: an approval that could not be carried out would be for nothing.
      await ports.requireConnected(draft, proposer);
      return { subject: draft, subjectId, worstCase: null, warnings: [], shows: {} };
    },
    describe: ({ service, recipient }) => `SEND ${service} ${recipient.replace('@', ' at ')}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ service, recipient, subject, text }) =>
      JSON.stringify([service, recipient, subject ?? '', text]),
    execute: (draft, approved) =>
      executionOf(() => ports.send({ draft, digest: messageDigest(draft) }, approved)),
    async settle({ client_message_id }, asker) {
      const found = await executionOf(() => ports.outcome(asker, client_message_id));
      // "Not found" says that it is not on its way: no second hand-over makes it so.
      return found.outcome === 'refused' && found.refusal.code === 'not_found' ? undefined : found;
    },
    resultText: (sent) => `sent: ${describeMessage(sent)}`,
  };
}
