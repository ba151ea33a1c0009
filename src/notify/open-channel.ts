import type { NoticeChannel, NoticeChannelKind } from '../config/notice-channels.ts';
import { noticeSecretLabel, noticeSecretRequirement } from '../secrets/notice-secrets.ts';
import { createDesktopSender } from './desktop.ts';
import { createEmailSender } from './email.ts';
import { NoticeFailedError, type SendNotice } from './notice.ts';
import { createNtfySender } from './ntfy.ts';
import type { ChannelDeps, SenderFactory } from './sender.ts';
import { createWebhookSender } from './signed-webhook.ts';
import { createSlackSender } from './slack.ts';

const senders: { readonly [Kind in NoticeChannelKind]: SenderFactory<Kind> } = {
  desktop: createDesktopSender,
  email: createEmailSender,
  slack: createSlackSender,
  webhook: createWebhookSender,
  ntfy: createNtfySender,
};

/**
 * Returns a function that sends notices through a channel. Every notice fails if the channel's required secret is
 * missing.
 */
export function createChannelSender(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  deps: ChannelDeps,
): SendNotice {
  if (secret === undefined && noticeSecretRequirement(channel) === 'required') {
    return async () => {
      throw new NoticeFailedError(
        'secret_missing',
        `the ${noticeSecretLabel(channel)} is missing; run "${deps.command} set-secret ${name}"`,
      );
    };
  }
  const open = senders[channel.kind] as SenderFactory<NoticeChannelKind>;
  return open(channel, secret, deps);
}
