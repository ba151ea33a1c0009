import type { User } from '../auth/session/session.ts';
import { isTradeAgentError } from '../errors/errors.ts';
import type { AccountEntry } from '../trading/account-entry.ts';
import type { App } from './app.ts';

/** Timeout for the accounts, in milliseconds. It is short because the user is known even without the gateway. */
const ACCOUNTS_TIMEOUT_MS = 3_000;

/**
 * Returns the signed-in user, with their accounts and profile. `company` is the issuer of the company that signed the
 * user in, if any. `accounts` is null if the gateway did not respond in time.
 * @param options.verify asks the identity provider instead of using the data from the sign-in
 * @throws {TradeAgentError} `login_required`; with `verify`, `provider_unreachable`, `provider_error`
 */
export async function whoami(app: App, options: { readonly verify: boolean }) {
  const { profile, user } = await app.requireSession();
  const { name, environment, issuer, company } = profile;
  const [asked, accounts] = await Promise.all([options.verify ? verifiedUser(app, user) : user, fetchAccounts(app)]);
  return {
    user: asked,
    accounts,
    profile: name,
    environment,
    issuer,
    company: company?.issuer ?? null,
    verified: options.verify,
  };
}

async function fetchAccounts(app: App): Promise<readonly AccountEntry[] | null> {
  const { createGatewayClient } = await import('../tools/gateway/gateway-client.ts');
  const options = { signal: app.signal, timeoutMs: ACCOUNTS_TIMEOUT_MS };
  const gateway = createGatewayClient(await app.requireSession(), options);
  return await gateway.accounts().catch((error: unknown) => {
    if (isTradeAgentError(error)) return null;
    throw error;
  });
}

async function verifiedUser(app: App, user: User): Promise<User> {
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  const asking = { profile, store, home, fetch: app.fetch, clock: app.clock };
  if (profile.company !== undefined) {
    const { verifyCompanySession } = await import('../auth/company/company-session.ts');
    await verifyCompanySession(asking);
    return user;
  }
  const { fetchUserinfo } = await import('../auth/session/userinfo.ts');
  return await fetchUserinfo(asking);
}
