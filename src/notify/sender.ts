import type { NoticeChannelKind, NoticeChannelOf } from '../config/notice-channels.ts';
import type { ResolveHost } from '../net/resolve-host.ts';
import type { SendNotice } from './notice.ts';

export interface ChannelSurroundings {
  /** Must log only an address's host: the path may be the secret. */
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The command that manages channels, for hints: `trade-agent notices`. */
  readonly command: string;
  /**
   * Resolves a mail server that was not named by the operator; the connection goes to one of the addresses found, if
   * all of them are on the open internet. Without it the system resolves the name, which may lead anywhere.
   */
  readonly resolveMail?: ResolveHost;
}

/**
 * How one kind of channel sends. Throws `NoticeFailure` and nothing else.
 * @param secret undefined only where the kind can do without
 *
 * @example
 * ```ts
 * import { poster } from './http-post.ts';
 * import type { Sender } from './sender.ts';
 *
 * export const plainWebhook: Sender<'webhook'> = ({ url }, _secret, surroundings) =>
 *   poster(surroundings, ({ title, body }) => ({ url, headers: {}, body: JSON.stringify({ title, body }) }));
 * ```
 */
export type Sender<Kind extends NoticeChannelKind> = (
  channel: NoticeChannelOf<Kind>,
  secret: string | undefined,
  surroundings: ChannelSurroundings,
) => SendNotice;
