import type { NoticeChannelKind, NoticeChannelOf } from '../config/notice-channels.ts';
import type { ResolveHost } from '../net/outbound-client.ts';
import type { SendNotice } from './notice.ts';

export interface ChannelDeps {
  /** Must log only a URL's host, because the path may be the secret. */
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The command that manages channels, for hints, such as `trade-agent notices`. */
  readonly command: string;
  /**
   * Resolves a mail server's host name. The connection uses one of the addresses if all are public. Undefined if mail
   * servers come from the owner's own settings and may be on a private network.
   */
  readonly resolveMail?: ResolveHost;
}

/**
 * Creates the function that sends to one kind of channel. That function throws only `NoticeFailedError`.
 * @param secret undefined only if channels of this kind work without a secret
 *
 * @example
 * ```ts
 * import { createPostSender } from './http-post.ts';
 * import type { SenderFactory } from './sender.ts';
 *
 * export const plainWebhook: SenderFactory<'webhook'> = ({ url }, _secret, deps) =>
 *   createPostSender(deps, ({ title, body }) => ({ url, headers: {}, body: JSON.stringify({ title, body }) }));
 * ```
 */
export type SenderFactory<Kind extends NoticeChannelKind> = (
  channel: NoticeChannelOf<Kind>,
  secret: string | undefined,
  deps: ChannelDeps,
) => SendNotice;
