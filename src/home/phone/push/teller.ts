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
  /** It says that somebody else may be at work: it wakes the phone, and whoever was away for days hears of it too. */
  readonly isUrgent?: boolean;
  /** The session whose browser does not ring: it knows. */
  readonly except?: string | undefined;
}

/** Milliseconds that a push is worth delivering: a phone may be off for the night. */
const WORTH_MS = 24 * 60 * 60_000;
const URGENT_WORTH_MS = 7 * WORTH_MS;

/**
 * Tells a person: on each browser that rings for them, and by other ways where none was reached, or always.
 * @throws the signal's reason where it is cut off by closing
 */
export function createTeller(options: TellerOptions): (told: ToTell) => Promise<void> {
  const { notices, noticesWhen, clock, closing } = options;
  return async ({ user, key, message, notice, isUrgent = false, except }) => {
    const until = clock.now() + (isUrgent ? URGENT_WORTH_MS : WORTH_MS);
    const pushed = {
      payload: (short: boolean) => JSON.stringify(message(short, until)),
      topic: topicOf(key),
      urgency: isUrgent ? 'high' : 'normal',
      until,
      wanted: () => true,
    } as const;
    const sending = pushToAll(options, user, pushed, ({ session }) => session !== except);
    if (notices !== undefined && noticesWhen === 'always') {
      await Promise.all([sending, notices.tell(notice, closing)]);
    } else if (!(await sending) && notices !== undefined) {
      await notices.tell(notice, closing);
    }
    closing.throwIfAborted();
  };
}
