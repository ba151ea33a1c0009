import type { NoticeChannelKind, NoticeChannelOf } from '../config/notice-channels.ts';
import type { SendNotice } from './notice.ts';

export interface ChannelSurroundings {
  /** Must log no more of an address than its host: a path may be the secret. */
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What keeps a channel's secret, for hints: `trade-agent notices`. */
  readonly command: string;
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
