import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { PROPOSE_MESSAGES } from '../oauth/scopes.ts';
import { checkRecipient } from '../trading/message.ts';
import type { MessageTool } from './tool.ts';

const note = () =>
  z
    .string()
    .max(400)
    .optional()
    .describe('A sentence of the user’s own to go under the summary; leave it out unless they gave one');

const approval =
  'The person sees the recipient and the whole text on their phone and approves or denies it there; nothing is sent before.';

export const sendSlackSummary: MessageTool = {
  name: 'send_slack_summary',
  description: `Proposes to send a summary of the portfolio to a Slack channel. ${approval}`,
  schema: z.lazy(() =>
    z.strictObject({
      recipient: z.string().describe('The channel, such as #trading, as the user named it'),
      note: note(),
    }),
  ),
  scopes: [PROPOSE_MESSAGES],
  risk: 'send',
  service: 'slack',
};

export const sendGmailSummary: MessageTool = {
  name: 'send_gmail_summary',
  description: `Proposes to send a summary of the portfolio by e-mail, from the user's Gmail account. ${approval}`,
  schema: z.lazy(() =>
    z.strictObject({
      recipient: z.string().describe('One e-mail address, as the user named it'),
      note: note(),
    }),
  ),
  scopes: [PROPOSE_MESSAGES],
  risk: 'send',
  service: 'gmail',
};

const requestSchema = z.lazy(() => z.strictObject({ recipient: z.string(), note: note().nullable() }));

/** @throws {TradeAgentError} `invalid_message` naming the field */
export function readMessageRequest(
  { service }: MessageTool,
  args: Record<string, unknown>,
): { recipient: string; note: string | undefined } {
  const parsed = requestSchema.safeParse(args);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new TradeAgentError(
      'invalid_message',
      `${field === '' ? 'the message cannot be read' : field}: ${issue?.message}`,
      { hint: 'Correct the message and ask again.', details: { field } },
    );
  }
  const recipient = parsed.data.recipient.trim();
  checkRecipient(service, recipient);
  const text = parsed.data.note?.trim();
  return { recipient, note: text === '' ? undefined : text };
}
