import { createHash } from 'node:crypto';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { Fill } from '../../fills/fill.ts';
import type { FillNotice } from './phone-notices.ts';
import { LONGEST_TITLE, type PushContent, type PushMessage, topicOf } from './push-message.ts';
import { createTeller, type TellerOptions } from './teller.ts';

/** Tells a person what was filled, as {@link createTeller} does. */
export function createFillTeller(options: TellerOptions): (fill: Fill) => Promise<void> {
  const tell = createTeller(options);
  const { content } = options;
  return (fill) =>
    tell({
      user: fill.user,
      key: fill.key,
      message: (short, expires) => fillMessage(fill, short ? 'short' : content, expires),
      notice: fillNotice(fill, content),
    });
}

/** `Bought 5 AAPL at $179.51 · PAPER`, and below it the account. Pure. */
export function fillMessage(fill: Fill, content: PushContent, expires: number): PushMessage {
  return { kind: 'fill', id: '', ...words(fill, content), expires, tag: topicOf(fill.key) };
}

export function fillNotice(fill: Fill, content: PushContent): FillNotice {
  const { user, at, key, facts } = fill;
  const { title, body } = words(fill, content);
  return {
    id: `nt_${createHash('sha256').update(`trade-agent.fill\0${key}`).digest('base64url').slice(0, 24)}`,
    ...{ user, title, body, at },
    fill: content === 'full' ? facts : {},
  };
}

function words(
  { headline, environment, account, facts }: Fill,
  content: PushContent,
): { readonly title: string; readonly body: string } {
  if (content === 'short') return { title: 'An order of yours was filled', body: '' };
  const word = environment === undefined ? [] : [environmentWord(environment)];
  const by = facts.mandate_id === undefined ? [] : [`by mandate ${facts.mandate_id}`];
  return {
    title: safeLine([headline, ...word].join(' · '), LONGEST_TITLE),
    body: safeLine([`Account ${account}`, ...by].join(' · '), LONGEST_TITLE),
  };
}
