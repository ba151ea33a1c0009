import type { Session } from '../../auth/session/session.ts';
import type { Caller } from '../../gateway/door/caller.ts';

/**
 * In whose name the server and its workers act at the gateway. What a person's request brings is a token for the server
 * alone; it is exchanged at the identity provider (RFC 8693) for one that is for the gateway, bound to the server's key,
 * and whose `act` says that the server uses it (§4.1). What is kept between a request and the run that it starts is sealed.
 *
 * @example
 * // A route: the door has verified the token.
 * const session = await sessions.seen(caller, caller.accessToken);
 * // A worker, later, on any machine: by the person's `sub` alone.
 * const session = await sessions.of(run.person);
 * await session.fetch(`${session.profile.gateway}/v1/orders`, {}, ['orders:read']);
 */
export interface PersonSessions {
  /**
   * The session of whoever has just called. Keeps what the request brought, sealed, so that a run goes on after the answer: for as
   * long as the person's sign-in stands and the token lasts; each request puts its token in the earlier one's place.
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
   * Ends that grant, here and at the provider (RFC 7009); does nothing where there is none. It is gone here also where the provider
   * can't be reached.
   * @throws {TradeAgentError} `credential_store_…`
   */
  endOffline(person: string): Promise<void>;
}
