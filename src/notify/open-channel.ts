import type { NoticeChannel } from '../config/notice-channels.ts';
import { isSecureUrl } from '../net/secure-url.ts';
import { noticeSecretNeed, noticeSecretWords, signingKey } from '../secrets/notice-secrets.ts';
import { desktopSender } from './desktop.ts';
import { emailSender } from './email.ts';
import { post } from './http-post.ts';
import { NoticeFailure, type SendNotice } from './notice.ts';
import { ntfyMessage } from './ntfy.ts';
import { signatureHeaders, webhookMessage } from './signed-webhook.ts';
import { slackMessage } from './slack.ts';

export interface ChannelSurroundings {
  /** Must log no more of an address than its host: a path may be the secret. */
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The way a channel's notices go. A secret that is missing is a failure of each, not of the program. */
export function openChannel(
  name: string,
  channel: NoticeChannel,
  secret: string | undefined,
  { fetch, env, platform, now }: ChannelSurroundings,
): SendNotice {
  if (secret === undefined && noticeSecretNeed(channel) === 'required') {
    return async () => {
      throw new NoticeFailure(
        'secret_missing',
        `there is no ${noticeSecretWords(channel)} for it; run "trade-agent notices set-secret ${name}"`,
      );
    };
  }
  switch (channel.kind) {
    case 'desktop':
      return desktopSender(env, platform);
    case 'email':
      return emailSender(channel, secret);
    case 'slack':
      return (notice, signal) =>
        post({ url: safeUrl(secret), headers: {}, body: slackMessage(notice) }, { fetch, signal, now });
    case 'webhook':
      return (notice, signal) => {
        const body = webhookMessage(notice);
        const key = signingKey(secret ?? '');
        if (key === undefined) throw new NoticeFailure('secret_missing', 'its signing secret is damaged');
        const headers = signatureHeaders(key, notice.id, body, now());
        return post({ url: safeUrl(channel.url), headers, body }, { fetch, signal, now });
      };
    case 'ntfy':
      return (notice, signal) =>
        post(
          {
            url: safeUrl(channel.server),
            headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
            body: ntfyMessage(channel, notice),
          },
          { fetch, signal, now },
        );
  }
}

function safeUrl(text: string | undefined): URL {
  if (text === undefined || !isSecureUrl(text))
    throw new NoticeFailure('insecure', 'its address is not https');
  return new URL(text);
}
