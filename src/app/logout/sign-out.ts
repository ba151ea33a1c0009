import type { LogoutResult } from '../../auth/logout.ts';
import type { App } from '../app.ts';

/**
 * Signs out, here and at the identity provider; what was opened before is made anew afterwards.
 * @param options.all also forget what this machine proves itself by to a company, and what earlier versions kept to ask for approvals by
 * @throws {TradeAgentError} `credential_store_…` when the session can't be removed
 */
export async function signOut(app: App, options: { readonly all: boolean }): Promise<LogoutResult> {
  const { logout } = await import('../../auth/logout.ts');
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  const result = await logout({
    ...{ profile, store, home, fetch: app.fetch, clock: app.clock },
    forgetClients: options.all,
  });
  await app.reset();
  return result;
}
