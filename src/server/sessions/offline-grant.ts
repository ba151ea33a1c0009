import { dialectOf } from '../../auth/provider/dialects.ts';
import { revokeTokens } from '../../auth/provider/token-revocation.ts';
import type { AccessToken } from '../../auth/session/access-token.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { loginRequired } from '../../errors/login-required.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import { broughtBy, keepBrought, keptSession, keyOf, type PersonCredentials } from './kept-session.ts';
import type { PersonSessions } from './person-sessions.ts';
import { exchangeToken, type ServerClient } from './token-exchange.ts';

type Options = ServerClient & { readonly credentials: (person: string) => PersonCredentials };

/** As {@link PersonSessions.grantOffline}. */
export async function grantOffline(options: Options, caller: Caller, token: string): Promise<void> {
  requireOffline(options);
  const store = options.credentials(caller.sub);
  const brought = broughtBy(caller, token);
  await keyOf(store);
  await keepBrought(store, brought, caller, options);
  await granted(options, store, async () => brought);
}

/** As {@link PersonSessions.keepOffline}. */
export async function keepOffline(options: Options, person: string): Promise<void> {
  requireOffline(options);
  const store = options.credentials(person);
  await granted(
    options,
    store,
    async () => (await keptSession(store, options.profile, options.clock)).subject,
  );
}

/** @throws {TradeAgentError} `provider_error` */
function requireOffline({ profile }: Options): void {
  if (dialectOf(profile).onBehalf.grantsOffline) return;
  throw new TradeAgentError('provider_error', 'the identity provider lets no server act while you are away', {
    hint: 'Schedules and alerts at a server need a provider that does, as a home is.',
  });
}

/** @param broughtOf what is exchanged for the grant, where none stands; undefined where nothing lasts any more */
async function granted(
  options: Options,
  store: PersonCredentials,
  broughtOf: () => Promise<AccessToken | undefined>,
): Promise<void> {
  await store.exclusively('session', async () => {
    const { refresh_token: standing } = await store.get(['refresh_token'], { fresh: true });
    if (standing !== undefined) return;
    const token = await broughtOf();
    if (token === undefined) throw loginRequired('the sign-in at this server has ended');
    const subject = { token, key: await keyOf(store) };
    const exchange = await exchangeToken(options, subject, token.scopes, 'offline').catch(
      (error: unknown): never => {
        throw isTradeAgentError(error) && error.code === 'insufficient_scope' ? notWhileAway() : error;
      },
    );
    if (exchange.outcome === 'gone') throw loginRequired('the sign-in at this server has ended');
    const { refreshToken } = exchange;
    if (refreshToken === undefined) {
      throw new TradeAgentError('provider_error', 'the identity provider sent no refresh token', {
        hint: dialectOf(options.profile).onBehalf.setup,
      });
    }
    await store.set({ refresh_token: refreshToken });
  });
}

/** As {@link PersonSessions.endOffline}. */
export async function endOffline({ profile, access, credentials }: Options, person: string): Promise<void> {
  const store = credentials(person);
  await store.exclusively('session', async () => {
    const { refresh_token } = await store.get(['refresh_token'], { fresh: true });
    if (refresh_token === undefined) return;
    await revokeTokens(profile, { refresh_token }, access);
    await store.delete(['refresh_token', 'access_token'], { refresh_token });
  });
}

function notWhileAway(): TradeAgentError {
  return new TradeAgentError('insufficient_scope', 'you have not let this server act while you are away', {
    hint: 'Sign in at the server again and allow it: it is asked for on your phone.',
    details: { scopes: ['offline_access'] },
  });
}
