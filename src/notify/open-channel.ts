import type { NoticeChannel, NoticeChannelKind } from '../config/notice-channels.ts';
import { noticeSecretNeed, noticeSecretWords } from '../secrets/notice-secrets.ts';
import { desktop } from './desktop.ts';
import { email } from './email.ts';
import { NoticeFailure, type SendNotice } from './notice.ts';
import { ntfy } from './ntfy.ts';
import type { ChannelSurroundings, Sender } from './sender.ts';
import { webhook } from './signed-webhook.ts';
import { slack } from './slack.ts';

/** How each kind sends; `config/notice-channels.ts` has its settings. */
const senders: { readonly [Kind in NoticeChannelKind]: Sender<Kind> } = {
  desktop,
  email,
  slack,
  webhook,
  ntfy,
};

/** Opens a channel. A missing secret is a failure of each notice, not of the program. */
export function openChannel(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  surroundings: ChannelSurroundings,
): SendNotice {
  if (secret === undefined && noticeSecretNeed(channel) === 'required') {
    return async () => {
      throw new NoticeFailure(
        'secret_missing',
        `there is no ${noticeSecretWords(channel)} for it; run "${surroundings.command} set-secret ${name}"`,
      );
    };
  }
  const open = senders[channel.kind] as Sender<NoticeChannelKind>;
  return open(channel, secret, surroundings);
}
