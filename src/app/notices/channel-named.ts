import type { NoticeChannel } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { NoticePlace } from './notice-place.ts';

/** A channel of this place. @throws {TradeAgentError} `not_found` */
export async function channelNamed(place: NoticePlace, name: string): Promise<NoticeChannel> {
  const notices = await place.channels();
  const channel = Object.hasOwn(notices, name) ? notices[name] : undefined;
  if (channel !== undefined) return channel;
  const names = Object.keys(notices);
  throw new TradeAgentError('not_found', `there is no channel "${name}"`, {
    hint: names.length === 0 ? place.add : `The channels are ${names.join(', ')}.`,
  });
}
