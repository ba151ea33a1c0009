import type { Clock } from '../../../machine/clock.ts';
import type { BellOptions } from './bell.ts';
import type { PhoneNotice } from './phone-notices.ts';
import { type PushMessage, topicOf } from './push-message.ts';
import { pushToAll, type Ringing } from './push-to-all.ts';

export interface TellerOptions extends Ringing, Pick<BellOptions, 'content' | 'notices' | 'noticesWhen'> {
  readonly clock: Clock;
}

/** Something that happened to a person: there is nothing for them to decide. */
export interface ToTell {
  readonly user: string;
  /** Names what happened: however often it is told, it has one place on a screen. */
  readonly key: string;
  /** @param short for browsers whose push service must not be told more */
  readonly message: (short: boolean, expires: number) => PushMessage;
  readonly notice: PhoneNotice;
}

/** Milliseconds that a push is worth delivering: a phone may be off for the night. */
const WORTH_MS = 24 * 60 * 60_000;

/**
 * Tells a person: on each browser that rings for them, and by other ways where none was reached, or always.
 * @throws the signal's reason where it is cut off by closing
 */
export function createTeller(options: TellerOptions): (told: ToTell) => Promise<void> {
  const { notices, noticesWhen, clock, closing } = options;
  return async ({ user, key, message, notice }) => {
    const until = clock.now() + WORTH_MS;
    const sending = pushToAll(options, user, {
      payload: (short) => JSON.stringify(message(short, until)),
      topic: topicOf(key),
      urgency: 'normal',
      until,
      wanted: () => true,
    });
    if (notices !== undefined && noticesWhen === 'always') {
      await Promise.all([sending, notices.tell(notice, closing)]);
    } else if (!(await sending) && notices !== undefined) {
      await notices.tell(notice, closing);
    }
    closing.throwIfAborted();
  };
}
