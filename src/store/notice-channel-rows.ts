/** One person's notice channels (`config/notice-channels.ts`), without the channels' secrets. */
export interface NoticeChannelRows<Channel> {
  all(): Promise<Readonly<Record<string, Channel>>>;
  /** Adds or replaces a channel. Returns false and writes nothing if there would be more than `most` channels. */
  put(name: string, channel: Channel, most: number): Promise<boolean>;
  /** Removes a channel. Returns false if there is no such channel. */
  remove(name: string): Promise<boolean>;
}
