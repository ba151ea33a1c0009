import { z } from 'zod';
import { PROPOSE_MESSAGES_SCOPE } from '../oauth/scopes.ts';
import { checkRecipient, type MessageService } from '../trading/message.ts';
import { parseProposalArguments } from './exact-numbers.ts';
import type { MessageTool } from './tool.ts';

const note = () =>
  z
    .string()
    .max(400)
    .optional()
    .describe('A note in the user’s own words to add below the summary; leave it out unless they gave one');

const approval =
  'The person sees the recipient and the whole text on their phone and approves or denies it there; nothing is sent before that.';

const summaryTool = (service: MessageService, title: string, description: string, recipient: string): MessageTool => ({
  name: `send_${service}_summary`,
  title,
  description: `${description} ${approval}`,
  schema: z.lazy(() => z.strictObject({ recipient: z.string().describe(recipient), note: note() })),
  scopes: [PROPOSE_MESSAGES_SCOPE],
  risk: 'send',
  service,
});

export const sendSlackSummary = summaryTool(
  'slack',
  'Propose a Slack message',
  'Proposes to send a summary of the portfolio to a Slack channel.',
  'The channel, such as #trading, as the user named it',
);

export const sendGmailSummary = summaryTool(
  'gmail',
  'Propose an e-mail',
  "Proposes to send a summary of the portfolio by e-mail, from the user's Gmail account.",
  'One e-mail address, as the user named it',
);

const requestSchema = z.lazy(() => z.strictObject({ recipient: z.string(), note: note().nullable() }));

/** Parses a message. @throws {TradeAgentError} `invalid_message` naming the field */
export function parseMessageRequest(
  { service }: MessageTool,
  args: Record<string, unknown>,
): { recipient: string; note: string | undefined } {
  const read = parseProposalArguments('message', requestSchema, args);
  const recipient = read.recipient.trim();
  checkRecipient(service, recipient);
  const text = read.note?.trim();
  return { recipient, note: text === '' ? undefined : text };
}
