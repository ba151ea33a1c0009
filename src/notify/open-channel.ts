import type { NoticeChannel, NoticeChannelKind } from '../config/notice-channels.ts';
import { noticeSecretLabel, noticeSecretRequirement } from '../secrets/notice-secrets.ts';
import { desktop } from './desktop.ts';
import { email } from './email.ts';
import { NoticeFailure, type SendNotice } from './notice.ts';
import { ntfy } from './ntfy.ts';
import type { ChannelDeps, Sender } from './sender.ts';
import { webhook } from './signed-webhook.ts';
import { slack } from './slack.ts';

/** The sender for each kind of channel. `config/notice-channels.ts` defines the channels' settings. */
const senders: { readonly [Kind in NoticeChannelKind]: Sender<Kind> } = {
  desktop,
  email,
  slack,
  webhook,
  ntfy,
};

/**
 * Returns the function that sends notices through a channel. If the channel requires a secret that is missing, every
 * notice fails.
 */
export function openChannel(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  surroundings: ChannelDeps,
): SendNotice {
  if (secret === undefined && noticeSecretRequirement(channel) === 'required') {
    return async () => {
      throw new NoticeFailure(
        'secret_missing',
        `the ${noticeSecretLabel(channel)} is missing; run "${surroundings.command} set-secret ${name}"`,
      );
    };
  }
  const open = senders[channel.kind] as Sender<NoticeChannelKind>;
  return open(channel, secret, surroundings);
}
