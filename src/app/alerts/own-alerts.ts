import type { Alerts } from '../../tools/alerts.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';

/** The alerts of the profile in use: this machine's, or those that its server keeps and looks at. */
export interface OwnAlerts extends Alerts {
  /** The rules file that has them; undefined where a server has: that looks at them by itself, and nothing of this machine does. */
  readonly file: string | undefined;
}

/** @throws {TradeAgentError} `login_required` where a server has them and nobody is signed in */
export async function ownAlerts(app: App): Promise<OwnAlerts> {
  if ((await serverOf(app)) === undefined) {
    const [{ alertsOf }, { alertFile }] = await Promise.all([
      import('./alerts-of.ts'),
      import('./alert-file.ts'),
    ]);
    return { ...alertsOf(app), file: (await alertFile(app)).file };
  }
  const { remoteAlerts } = await import('../../agent/remote/remote-alerts.ts');
  return { ...remoteAlerts(await app.requireSession(), app), file: undefined };
}
