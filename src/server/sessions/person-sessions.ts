import type { Session } from '../../auth/session/session.ts';
import type { Caller } from '../../gateway/door/caller.ts';

/**
 * Sessions for acting at the gateway in a person's name. A request's token is for the server only; it is exchanged at
 * the identity provider (RFC 8693) for a token for the gateway, bound to the server's key, whose `act` names the
 * server (§4.1). What is stored between a request and the run that it starts is sealed.
 * @example
 * ```ts
 * import type { Caller } from '../../gateway/door/caller.ts';
 * import type { PersonSessions } from './person-sessions.ts';
 * // A route: the token is verified.
 * export const ordersOf = async (sessions: PersonSessions, caller: Caller): Promise<Response> => {
 *   const session = await sessions.seen(caller, caller.accessToken);
 *   return await session.fetch(`${session.profile.gateway}/v1/orders`, {}, ['orders:read']);
 * };
 * // A worker, later, on any machine: by the person's `sub` only.
 * export const clockFor = async (sessions: PersonSessions, person: string): Promise<Response> => {
 *   const session = await sessions.of(person);
 *   return await session.fetch(`${session.profile.gateway}/v1/clock`, {}, ['market:read']);
 * };
 * ```
 */
export interface PersonSessions {
  /**
   * The caller's session, limited to their token. Stores the token sealed, so that a run continues after the answer
   * while the sign-in and the token last, unless a stored token does more. Asks the provider nothing yet: the first
   * request to the gateway notices an ended sign-in.
   * @param token the caller's access token, whose audience is the server
   * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `provider_error`, `credential_store_…`
   */
  seen(caller: Caller, token: string): Promise<Session>;
  /**
   * The session of a person who may be away: by their last request's token, else by their offline grant.
   * @param person their `sub`
   * @throws {TradeAgentError} `login_required` where there is neither; `provider_unreachable`, `credential_store_…`
   */
  of(person: string): Promise<Session>;
  /**
   * Obtains an offline grant for the caller, needed only for schedules and alerts, if they allowed it when they
   * signed in (`offline_access`). Does nothing if there is one.
   * @throws {TradeAgentError} `insufficient_scope` where they did not allow it; `login_required`,
   *   `provider_unreachable`
   */
  grantOffline(caller: Caller, token: string): Promise<void>;
  /**
   * The same for a person with a running run, by their last request's token.
   * @throws {TradeAgentError} as `grantOffline`
   */
  keepOffline(person: string): Promise<void>;
  /**
   * Ends that grant, here and at the provider (RFC 7009), if there is one. It is removed here even if the provider
   * can't be reached.
   * @throws {TradeAgentError} `credential_store_…`
   */
  endOffline(person: string): Promise<void>;
}
