import type { MANDATE_SCOPE, Scope, SESSION_SCOPES } from '../../oauth/scopes.ts';

/**
 * Another endpoint at the gateway's address with tokens of its own audience: MCP. The gateway authenticates (token, DPoP,
 * Origin, size of the body) and lets it do for a caller what the caller may do at `/v1`, never more.
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
  /** Its tokens' audience is the gateway's address with this path. */
  readonly path: `/${string}`;
  /** RFC 9728 `resource_name`. */
  readonly name: string;
  /** The scopes of its tokens, with the `/v1` scopes that each grants. None of them places an order or uses a mandate. */
  readonly scopes: Readonly<
    Partial<Record<Scope, readonly Exclude<(typeof SESSION_SCOPES)[number], typeof MANDATE_SCOPE>[]>>
  >;
  /** Maximum size of a request body, in bytes. */
  readonly maxBodyBytes: number;
  /** Rejects tokens that are not bound to a key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** @param request without its credentials; its signal aborts when the caller disconnects */
  serve(request: Request, caller: MountedCaller): Promise<Response>;
}

/** A verified caller, without its token. */
export interface MountedCaller {
  readonly sub: string;
  readonly clientId: string;
  /** The mount's scopes that the token has. */
  readonly scopes: ReadonlySet<string>;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** The gateway's address. */
  readonly resource: string;
  /**
   * Calls the gateway's own API as this caller, in this process, with the same checks. Returns 401 once the caller's token
   * has expired.
   * @param path for example `/v1/quotes?symbols=AAPL`
   * @throws the signal's reason
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}
