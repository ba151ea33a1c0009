import type { User } from '../../auth/session/session.ts';
import type { Environment } from '../../trading/order.ts';
import type { App } from '../app.ts';

export interface WhoAmI {
  readonly user: User;
  /** The profile's name. */
  readonly profile: string;
  readonly environment: Environment;
  readonly issuer: string;
  /** Whether the identity provider was asked now. */
  readonly verified: boolean;
}

/**
 * Who is signed in, and where.
 * @param options.verify ask the identity provider, instead of what was kept from the sign-in
 * @throws {TradeAgentError} `login_required`; asking, `provider_unreachable`, `provider_error`
 */
export async function whoami(app: App, options: { readonly verify: boolean }): Promise<WhoAmI> {
  const { profile, user } = await app.requireSession();
  const { name, environment, issuer } = profile;
  return {
    user: options.verify ? await askedUser(app) : user,
    profile: name,
    ...{ environment, issuer, verified: options.verify },
  };
}

async function askedUser(app: App): Promise<User> {
  const { askUserinfo } = await import('../../auth/session/userinfo.ts');
  const [profile, store, home] = await Promise.all([app.profile(), app.store(), app.home()]);
  return await askUserinfo({ profile, store, home, fetch: app.fetch, clock: app.clock });
}
