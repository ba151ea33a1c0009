import type { NoticesConfig } from '../../config/notice-channels.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import type { App } from '../app.ts';

/** Where channels stand and their secrets are kept: a profile, or a home. */
export interface NoticePlace {
  channels(): Promise<NoticesConfig>;
  /** @throws {TradeAgentError} `credential_store_…` */
  store(): Promise<CredentialStore>;
  /** How a person adds a channel, in a sentence. */
  readonly add: string;
  /** The command that keeps a secret: `trade-agent notices`. */
  readonly command: string;
  /** What a test notice says: how who tells of what. @param name the channel's */
  testWords(name: string): Promise<string>;
  /** What a test notice holds in fields. */
  testFacts(): Promise<Readonly<Record<string, unknown>>>;
}

/** The profile in use. */
export function profileNotices(app: Pick<App, 'profile' | 'store'>): NoticePlace {
  const name = async () => (await app.profile()).name;
  return {
    channels: async () => (await app.profile()).notices ?? {},
    store: () => app.store(),
    add: 'Add one with "trade-agent notices add NAME KIND".',
    command: 'trade-agent notices',
    testWords: async (channel) =>
      `This is how "${channel}" of profile "${await name()}" tells you of findings. Nothing happened.`,
    testFacts: async () => ({ profile: await name() }),
  };
}
