import { createHash } from 'node:crypto';
import { safeLine } from '../../../net/shown-text.ts';
import type { OrderNews } from '../../fills/order-news.ts';
import { LONGEST_BODY, LONGEST_TITLE, topicOf } from './push-message.ts';
import { createTeller, type TellerOptions } from './teller.ts';

/** Tells a person about an order that they did not expect, as {@link createTeller} does: at once, since they may want to act. */
export function createOrderTeller(options: TellerOptions): (news: OrderNews) => Promise<void> {
  const tell = createTeller(options);
  return ({ user, key, title, body, at, facts }) => {
    const full = { title: safeLine(title, LONGEST_TITLE), body: safeLine(body, LONGEST_BODY) };
    const brief = { title: 'An order needs your attention', body: '' };
    const shown = options.content === 'short' ? brief : full;
    const id = createHash('sha256').update(`trade-agent.order\0${key}`).digest('base64url').slice(0, 24);
    return tell({
      ...{ user, key, isUrgent: true },
      message: (short, expires) => ({
        ...{ kind: 'order', id: '', expires, tag: topicOf(key) },
        ...(short ? brief : shown),
      }),
      notice: { ...{ id: `nt_${id}`, user, ...shown, at }, order: options.content === 'short' ? {} : facts },
    });
  };
}
