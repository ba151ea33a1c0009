import type { Session } from '../../auth/session/session.ts';
import type { Caller } from '../../gateway/auth/caller.ts';

/**
 * Sessions for acting on a person's behalf at the gateway. A request's token is valid only for the server, which
 * exchanges it at the identity provider (RFC 8693) for a gateway token that is bound to the server's key and names the
 * server in `act` (§4.1). Anything stored between a request and the run that it starts is sealed.
 * @example
 * ```ts
 * import type { Caller } from '../../gateway/auth/caller.ts';
 * import type { PersonSessions } from './person-sessions.ts';
 * // In a route, where the caller's token was verified.
 * export const ordersOf = async (sessions: PersonSessions, caller: Caller): Promise<Response> => {
 *   const session = await sessions.forCaller(caller, caller.accessToken);
 *   return await session.fetch(`${session.profile.gateway}/v1/orders`, {}, ['orders:read']);
 * };
 * // In a worker, later and on any machine, with only the person's `sub`.
 * export const clockFor = async (sessions: PersonSessions, person: string): Promise<Response> => {
 *   const session = await sessions.forPerson(person);
 *   return await session.fetch(`${session.profile.gateway}/v1/clock`, {}, ['market:read']);
 * };
 * ```
 */
export interface PersonSessions {
  /**
   * Returns the caller's session, limited to the token's scopes. Seals and stores the token unless a stored one is
   * better, so that a run can continue after the response while the sign-in and the token are valid. Does not contact
   * the provider: an ended sign-in is detected at the first request to the gateway.
   * @param token the caller's access token, whose audience is the server
   * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `provider_error`, `credential_store_…`
   */
  forCaller(caller: Caller, token: string): Promise<Session>;
  /**
   * Returns the session of a person who may be away. It uses the token of the person's last request or, if that is no
   * longer valid, the offline grant.
   * @param person the person's `sub`
   * @throws {TradeAgentError} `login_required` if the person has neither; `provider_unreachable`, `credential_store_…`
   */
  forPerson(person: string): Promise<Session>;
  /**
   * Obtains an offline grant for the caller, which schedules and alerts require. The caller must have allowed
   * `offline_access` when they signed in. Does nothing if there is already a grant.
   * @throws {TradeAgentError} `insufficient_scope` if they did not allow it; `login_required`, `provider_unreachable`
   */
  grantOffline(caller: Caller, token: string): Promise<void>;
  /**
   * Like {@link grantOffline}, but with the token of the person's last request, for a run that is in progress.
   * @throws {TradeAgentError} in the same cases as `grantOffline`
   */
  grantOfflineTo(person: string): Promise<void>;
  /**
   * Revokes the offline grant, if any, at the provider (RFC 7009). Deletes it on this server even if the provider can't
   * be reached.
   * @throws {TradeAgentError} `credential_store_…`
   */
  revokeOffline(person: string): Promise<void>;
}
