/** One person's notice channels (`config/notice-channels.ts`), without the channels' secrets. */
export interface NoticeChannelRows<Channel> {
  all(): Promise<Readonly<Record<string, Channel>>>;
  /** Returns false and writes nothing if the person would exceed the maximum number of channels (`most`). */
  put(name: string, channel: Channel, most: number): Promise<boolean>;
  /** Returns false if there is no such channel. */
  remove(name: string): Promise<boolean>;
}
