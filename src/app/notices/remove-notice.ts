import { removeEntry } from '../../config/named-entries.ts';
import { forgetNoticeSecret } from '../../secrets/notice-secrets.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';
import { noticeEntry } from './add-notice.ts';
import { channelNamed } from './channel-named.ts';
import { profileNotices } from './notice-place.ts';

/** Takes a channel out of the profile in use, or of its server, and forgets its secret. @throws {TradeAgentError} `not_found`, `credential_store_…` */
export async function removeNotice(app: App, name: string): Promise<void> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).removeAtServer(app, name);
  await channelNamed(profileNotices(app), name);
  await forgetNoticeSecret(await app.store(), name);
  await removeEntry(await noticeEntry(app, name));
}
