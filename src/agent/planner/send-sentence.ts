import { isTradeAgentError } from '../../errors/errors.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import type { Intent } from './intent.ts';
import { NotUnderstood, shown } from './words.ts';

const portfolioWords =
  "(?:(?:a |the )?(?:summary|overview) of )?(?:my |the |a )?(?:portfolio|positions|holdings|account)(?:'s)?(?: summary| overview)?";

const sendPatterns: readonly (readonly [MessageService, RegExp])[] = [
  [
    'slack',
    new RegExp(
      `^(?:send|post|share) ${portfolioWords} (?:to|on|in) (?:slack )?(?:channel |the channel )?(\\S+)(?: (?:on|in) slack)?$`,
      'i',
    ),
  ],
  ['slack', new RegExp(`^slack ${portfolioWords} to (?:channel )?(\\S+)$`, 'i')],
  ['gmail', new RegExp(`^(?:e-?mail|mail|gmail) ${portfolioWords} to (\\S+)$`, 'i')],
  ['gmail', new RegExp(`^send ${portfolioWords} (?:by (?:e-?mail|gmail) )?to (\\S+@\\S+)$`, 'i')],
];

export function readSend(clause: string): Intent | undefined {
  const found = sendPatterns.flatMap(([service, pattern]) => {
    const recipient = pattern.exec(clause)?.[1];
    // "send my portfolio to bob@example.com" is an e-mail.
    const fits = recipient !== undefined && (service === 'gmail' || !recipient.includes('@'));
    return fits ? [{ kind: 'send', service, recipient } as const] : [];
  })[0];
  if (found === undefined) return undefined;
  try {
    checkRecipient(found.service, found.recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new NotUnderstood(
      `"${shown(found.recipient)}": ${error.message}.`,
      error.hint ?? 'Name one channel or one e-mail address.',
      error.code,
    );
  }
  return found;
}
