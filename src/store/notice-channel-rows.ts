/** One person's notice channels as they were stored (`config/notice-channels.ts`), without secrets. */
export interface NoticeChannelRows<Channel> {
  all(): Promise<Readonly<Record<string, Channel>>>;
  /** Adds or replaces a channel. Returns false if there would be more than `most`. */
  put(name: string, channel: Channel, most: number): Promise<boolean>;
  /** Returns false if there is none. */
  remove(name: string): Promise<boolean>;
}
