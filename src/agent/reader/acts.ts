import { isTradeAgentError } from '../../errors/errors.ts';
import { type Phrase, phrase } from '../../text/phrase.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import type { Intent } from './intent.ts';
import type { Item } from './item.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { requireEnd, Taker } from './taker.ts';

/* Acts that are not about an order: send, watch. Each uses every item of its clause. */

/** Reads "send my portfolio to slack #trading", "email my portfolio to bob@example.com". */
export function readSend(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('send|slack|mail');
  const what = verb === undefined ? undefined : words.take('a? my? portfolio of? my? portfolio? portfolio?');
  if (verb === undefined || what === undefined) return undefined;
  const byMail = words.take('mail') !== undefined || verb.has('mail');
  words.take('onto|to|of|my my? slack? my?');
  words.take('slack');
  const [target] = words.take('*')?.items ?? [];
  if (target === undefined) return undefined;
  words.take('onto|of slack');
  words.take('mail');
  const recipient = target.text;
  const service = byMail || (recipient.includes('@') && !verb.has('slack')) ? 'gmail' : 'slack';
  if (!target.tags.some((tag) => tag === 'email' || tag === 'channel'))
    throw recipientError(recipient, phrase`it is not a channel or an email address`, undefined);
  requireEnd(words, phrase`message`, phrase`Name one channel or one email address.`);
  requireRecipient(service, recipient);
  return { kind: 'send', service, recipient };
}

function requireRecipient(service: MessageService, recipient: string): void {
  try {
    checkRecipient(service, recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw recipientError(recipient, phrase`${error.message}`, error.hint);
  }
}

const recipientError = (recipient: string, why: Phrase, hint: string | undefined) =>
  new NotUnderstoodError(
    phrase`"${truncateWord(recipient)}": ${why}.`,
    hint === undefined ? phrase`Name one channel or one email address.` : phrase`${hint}`,
    'invalid_order',
  );

/** Reads "add MSFT to my watchlist". */
export function readWatch(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('add|invest') ?? words.take('remove');
  if (verb === undefined || !items.some(({ tags }) => tags.includes('watchlist'))) return undefined;
  const symbols = words.symbols();
  if (symbols.length === 0 || words.take('onto|off|to|of my? my? watchlist') === undefined) return undefined;
  requireEnd(words, phrase`request`, phrase`Try "add MSFT to my watchlist".`);
  return { kind: 'watch', change: verb.has('remove') ? 'remove' : 'add', symbols };
}
