import { type MessageRequest, message } from '../../../trading/kinds/message.ts';
import { checkMessage, describeMessage, type MessageDraft, type SentMessage } from '../../../trading/message.ts';
import { messageDigest } from '../../../trading/message-details.ts';
import type { Approval, Kind, Proposer } from '../../kind.ts';
import { toExecution, toHttpProblem } from '../execution.ts';

/** The gateway's message service. All methods throw only `HttpProblem`s. */
export interface MessagePorts {
  /** @throws {HttpProblem} if the rules forbid the message, or its account is not connected */
  requireSendable(draft: MessageDraft, proposer: Proposer): Promise<void>;
  /** Sends at most once. @throws {HttpProblem} 504 `outcome_unknown` (`final` if it can never be known), and others */
  send(approved: { draft: MessageDraft; digest: string }, owner: Approval): Promise<SentMessage>;
  /** Returns the sent message. @throws {HttpProblem} 404 `not_found` if it was never sent, 504 `outcome_unknown` */
  outcome(session: Proposer, clientMessageId: string): Promise<SentMessage>;
}

export function messageKind(ports: MessagePorts): Kind<MessageRequest, MessageDraft, SentMessage> {
  return {
    ...message,
    async complete(request, { proposer, subjectId, expiresAt }) {
      const draft: MessageDraft = { ...request, client_message_id: subjectId, expires_at: expiresAt };
      try {
        checkMessage(draft);
      } catch (error) {
        throw toHttpProblem(error);
      }
      // Checked before the person is asked, so that they don't approve a message that can't be sent.
      await ports.requireSendable(draft, proposer);
      return { subject: draft, subjectId, worstCase: null, warnings: [], shows: {} };
    },
    describe: ({ service, recipient }) => `SEND ${service} ${recipient.replace('@', ' at ')}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ service, recipient, subject, text }) => JSON.stringify([service, recipient, subject ?? '', text]),
    execute: (draft, approved) => toExecution(() => ports.send({ draft, digest: messageDigest(draft) }, approved)),
    async settle({ client_message_id }, session) {
      const found = await toExecution(() => ports.outcome(session, client_message_id));
      // "Not found" means that the message service never received the message.
      return found.outcome === 'refused' && found.refusal.code === 'not_found' ? undefined : found;
    },
    resultText: (sent) => `sent: ${describeMessage(sent)}`,
  };
}
