import type { NoticeChannelKind, NoticeChannelOf } from '../config/notice-channels.ts';
import type { ResolveHost } from '../net/outbound-client.ts';
import type { SendNotice } from './notice.ts';

export interface ChannelDeps {
  /** Must log only the host of a URL, because the path may be the secret. */
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The command that manages channels, for hints: `trade-agent notices`. */
  readonly command: string;
  /**
   * Resolves the names of mail servers that the operator did not configure. The connection uses one of the addresses if
   * all are public. If undefined, mail servers come from the owner's settings and may be on private networks.
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
  surroundings: ChannelDeps,
) => SendNotice;
