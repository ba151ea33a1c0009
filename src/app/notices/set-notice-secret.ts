import type { NoticeChannel } from '../../config/notice-channels.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { noticeSecretNeed, noticeSecretWords, storeNoticeSecret } from '../../secrets/notice-secrets.ts';
import { channelNamed } from './channel-named.ts';
import type { NoticePlace } from './notice-place.ts';

/**
 * Keeps a channel's secret where its place keeps them.
 * @param ask gives the secret; asked once the store is known to work. `words` say what it is: `password of …`
 * @throws {TradeAgentError} `not_found`, `usage` where the channel needs none, `credential_store_…`, and what `ask` throws
 */
export async function setNoticeSecret(
  place: NoticePlace,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: NoticeChannel['kind']; readonly words: string }> {
  const channel = await channelNamed(place, name);
  if (noticeSecretNeed(channel) === 'none') {
    throw new TradeAgentError('usage', `${name} needs no secret`, {
      hint: channel.kind === 'email' ? 'Set its "user" first, if the server wants one.' : 'Just use it.',
    });
  }
  const store = await place.store();
  await store.probe();
  const words = noticeSecretWords(channel);
  await storeNoticeSecret(store, name, channel, await ask(words));
  return { kind: channel.kind, words };
}
