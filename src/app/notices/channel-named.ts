import type { NoticeChannel } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { App } from '../app.ts';

/** A channel of the profile in use. @throws {TradeAgentError} `not_found` */
export async function channelNamed(app: App, name: string): Promise<NoticeChannel> {
  const { notices = {} } = await app.profile();
  const channel = Object.hasOwn(notices, name) ? notices[name] : undefined;
  if (channel !== undefined) return channel;
  const names = Object.keys(notices);
  throw new TradeAgentError('not_found', `there is no channel "${name}"`, {
    hint:
      names.length === 0
        ? 'Add it under "notices" of the profile in config.yaml; docs/NOTICES.md shows how.'
        : `The channels are ${names.join(', ')}.`,
  });
}
