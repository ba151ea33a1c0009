import { z } from 'zod';
import { composeSummary, extractNote } from '../../tools/summary-message.ts';
import { messageServices } from '../../trading/message.ts';
import type { Proposal } from '../../trading/proposal.ts';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { submitProposal, withIdempotencyKey } from './propose.ts';
import { clientIdempotencyKey } from './retries.ts';

export const sendSummary = defineMcpTool({
  name: 'send_summary',
  title: 'Propose to send a summary',
  description:
    'Proposes to send a summary of the portfolio to a Slack channel or by e-mail. The gateway writes the text from its own figures. The owner sees the recipient and the full text on their phone and approves or denies it there. Nothing is sent before that.',
  schema: withIdempotencyKey(
    z.strictObject({
      service: z.enum(messageServices),
      recipient: z.string().max(254).describe('A Slack channel such as #trading, or one e-mail address'),
      note: z.string().max(400).optional().describe('A sentence to append to the summary'),
    }),
  ),
  output: proposalOutput,
  scopes: ['orders:propose', 'portfolio:read', 'orders:read'],
  effect: 'asks',
  async run(call, { service, recipient, note, idempotency_key }) {
    const { gateway } = call.caller;
    // If the client repeats the call, the summary's figures may have changed, so the earlier message is found by the
    // client's key.
    const earlier =
      idempotency_key === undefined ? undefined : await gateway.proposed(clientIdempotencyKey(idempotency_key));
    if (earlier !== undefined && isSameMessage(earlier, { service, recipient, note })) {
      return { proposal: earlier, isAsked: true };
    }
    const message = await composeSummary(service, { recipient, note }, gateway, call.clock.now());
    return submitProposal(call, { kind: 'message', message }, message, idempotency_key);
  },
});

function isSameMessage(
  { kind, subject }: Proposal,
  asked: { readonly service: string; readonly recipient: string; readonly note: string | undefined },
): boolean {
  if (kind !== 'message') return false;
  return (
    subject.service === asked.service &&
    subject.recipient === asked.recipient &&
    extractNote(subject.text) === asked.note
  );
}
