import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';
import { profileNotices } from './notice-place.ts';

/** Sends a test by a channel of the profile in use, or of its server. @throws {TradeAgentError} `not_found`; `notice_failed` */
export async function testOwnNotice(
  app: App,
  name: string,
): Promise<{ readonly id: string; readonly attempts: number }> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).testAtServer(app, name);
  const { testNotice } = await import('./test-notice.ts');
  return await testNotice(app, profileNotices(app), name);
}

/**
 * Keeps the secret of a channel of the profile in use: here, or sealed at its server.
 * @param ask gives the secret; `words` say what it is
 * @throws {TradeAgentError} `not_found`; `usage` where the channel needs none
 */
export async function setOwnSecret(
  app: App,
  name: string,
  ask: (words: string) => Promise<string>,
): Promise<{ readonly kind: string; readonly words: string; readonly place: string }> {
  if ((await serverOf(app)) !== undefined) {
    const { setSecretAtServer } = await import('./at-server.ts');
    return { ...(await setSecretAtServer(app, name, ask)), place: 'at the server, sealed' };
  }
  const { setNoticeSecret } = await import('./set-notice-secret.ts');
  return { ...(await setNoticeSecret(profileNotices(app), name, ask)), place: 'in the credential store' };
}
