/** By which channels one person is told, each as it was put (`config/notice-channels.ts`); nothing secret. */
export interface NoticeChannelRows<Channel> {
  all(): Promise<Readonly<Record<string, Channel>>>;
  /** In place of one of that name. False where there would be more than `most`. */
  put(name: string, channel: Channel, most: number): Promise<boolean>;
  /** False where there was none. */
  remove(name: string): Promise<boolean>;
}
