import { createHash } from 'node:crypto';
import type { Clock } from '../../../machine/clock.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { Fill } from '../../fills/fill.ts';
import type { BellOptions } from './bell.ts';
import type { FillNotice } from './phone-notices.ts';
import { LONGEST_TITLE, type PushContent, type PushMessage, topicOf } from './push-message.ts';
import { pushToAll, type Ringing } from './push-to-all.ts';

export interface FillTellerOptions extends Ringing, Pick<BellOptions, 'content' | 'notices' | 'noticesWhen'> {
  readonly clock: Clock;
}

/** Milliseconds that a push is worth delivering: a phone may be off for the night. */
const WORTH_MS = 24 * 60 * 60_000;

/**
 * Tells a person what was filled: on each browser that rings for them, and by other ways where none was reached, or always.
 * @throws the signal's reason where it is cut off by closing
 */
export function createFillTeller(options: FillTellerOptions): (fill: Fill) => Promise<void> {
  const { content, notices, noticesWhen, clock, closing } = options;
  return async (fill) => {
    const sending = pushToAll(options, fill.user, {
      payload: (short) => JSON.stringify(fillMessage(fill, short ? 'short' : content, clock.now())),
      topic: topicOf(fill.key),
      urgency: 'normal',
      until: clock.now() + WORTH_MS,
      wanted: () => true,
    });
    if (notices !== undefined && noticesWhen === 'always') {
      await Promise.all([sending, notices.tell(fillNotice(fill, content), closing)]);
    } else if (!(await sending) && notices !== undefined) {
      await notices.tell(fillNotice(fill, content), closing);
    }
    closing.throwIfAborted();
  };
}

/** `Bought 5 AAPL at $179.51 · PAPER`, and below it the account. Pure. */
export function fillMessage(fill: Fill, content: PushContent, now: number): PushMessage {
  const tag = topicOf(fill.key);
  return { kind: 'fill', id: '', ...words(fill, content), expires: now + WORTH_MS, tag };
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
