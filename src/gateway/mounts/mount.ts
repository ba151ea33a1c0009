import type { MANDATE_SCOPE, Scope, SESSION_SCOPES } from '../../oauth/scopes.ts';

/**
 * Another endpoint at the gateway's address, such as MCP, whose tokens have their own audience. The gateway checks each
 * request's token, DPoP proof, Origin header and body size. Through the endpoint, callers can do only what they may do
 * at `/v1`.
 *
 * @example
 * ```ts
 * import type { Mount } from './mount.ts';
 *
 * export const prices: Mount = {
 *   path: '/prices',
 *   name: 'trade-agent prices',
 *   scopes: { 'market:read': ['market:read'] },
 *   maxBodyBytes: 1024,
 *   serve: (_request, caller) => caller.fetch('/v1/quotes?symbols=AAPL'),
 * };
 * ```
 */
export interface Mount {
  /** The audience of the endpoint's tokens is the gateway's address with this path. */
  readonly path: `/${string}`;
  /** RFC 9728 `resource_name`. */
  readonly name: string;
  /**
   * The scopes of the mount's tokens, each with the `/v1` scopes that it grants. None of these scopes permits placing
   * an order or using a mandate.
   */
  readonly scopes: Readonly<
    Partial<Record<Scope, readonly Exclude<(typeof SESSION_SCOPES)[number], typeof MANDATE_SCOPE>[]>>
  >;
  readonly maxBodyBytes: number;
  /** Whether to reject tokens that are not bound to a key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** @param request has no credentials; its signal aborts when the caller disconnects */
  serve(request: Request, caller: MountedCaller): Promise<Response>;
}

/** A caller whose token was verified. The object does not contain the token. */
export interface MountedCaller {
  readonly sub: string;
  readonly clientId: string;
  /** The mount's scopes that the caller's token has. */
  readonly scopes: ReadonlySet<string>;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** The gateway's address. */
  readonly resource: string;
  /**
   * Calls the gateway's own API for this caller, within this process, with the same checks as for a request over the
   * network. Returns 401 after the caller's token has expired.
   * @param path for example `/v1/quotes?symbols=AAPL`
   * @throws the signal's reason, if the request's signal aborts
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}
