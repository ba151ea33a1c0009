import type { Session } from '../../auth/session/session.ts';
import type { Caller } from '../../gateway/door/caller.ts';

/**
 * In whose name the server and its workers act at the gateway. What a person's request brings is a token for the server
 * alone; it is exchanged at the identity provider (RFC 8693) for one that is for the gateway, bound to the server's key,
 * and whose `act` says that the server uses it (§4.1). What is kept between a request and the run that it starts is sealed.
 *
 * @example
 * ```ts
 * import type { Caller } from '../../gateway/door/caller.ts';
 * import type { PersonSessions } from './person-sessions.ts';
 *
 * // A route: the door has verified the token.
 * export const ordersOf = async (sessions: PersonSessions, caller: Caller): Promise<Response> => {
 *   const session = await sessions.seen(caller, caller.accessToken);
 *   return await session.fetch(`${session.profile.gateway}/v1/orders`, {}, ['orders:read']);
 * };
 *
 * // A worker, later, on any machine: by the person's `sub` alone.
 * export const clockFor = async (sessions: PersonSessions, person: string): Promise<Response> => {
 *   const session = await sessions.of(person);
 *   return await session.fetch(`${session.profile.gateway}/v1/clock`, {}, ['market:read']);
 * };
 * ```
 */
export interface PersonSessions {
  /**
   * The session of whoever has just called, which goes no further than their token. Keeps what the request brought, sealed, so that
   * a run goes on after the answer: for as long as the person's sign-in stands and the token lasts, unless an earlier one does more.
   * Asks the provider nothing yet: a sign-in that was ended is noticed with the first request to the gateway.
   * @param caller as the server's door verified them
   * @param token their access token, whose audience is the server
   * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `provider_error`, `credential_store_…`
   */
  seen(caller: Caller, token: string): Promise<Session>;
  /**
   * The session of a person who may be away: by what their last request brought while that lasts, else by their offline grant.
   * @param person their `sub`
   * @throws {TradeAgentError} `login_required` where neither stands; `provider_unreachable`, `credential_store_…`
   */
  of(person: string): Promise<Session>;
  /**
   * Has the provider grant the server to act for the caller while they are away, which is asked for only where they have
   * schedules or conditions, and where they allowed it when they signed in (`offline_access`). Does nothing where a grant stands.
   * @throws {TradeAgentError} `insufficient_scope` where they did not allow it; `login_required`, `provider_unreachable`
   */
  grantOffline(caller: Caller, token: string): Promise<void>;
  /**
   * The same for somebody in whose name a run is under way, by what their last request brought.
   * @param person their `sub`
   * @throws {TradeAgentError} as `grantOffline`
   */
  keepOffline(person: string): Promise<void>;
  /**
   * Ends that grant, here and at the provider (RFC 7009); does nothing where there is none. It is gone here also where the provider
   * can't be reached.
   * @throws {TradeAgentError} `credential_store_…`
   */
  endOffline(person: string): Promise<void>;
}
