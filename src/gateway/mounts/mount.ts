import type { Scope, SESSION_SCOPES, USE_MANDATES } from '../../oauth/scopes.ts';

/**
 * Something else that is served at the gateway's address, to callers with tokens of an audience of its own: an MCP
 * endpoint. The gateway knows nothing of what it does. It stands in front of it (token, DPoP, Origin, size of the body),
 * and lets it do for a caller what the caller may do at `/v1`, never more.
 *
 * @example
 * ```ts
 * import type { Mount } from './mount.ts';
 *
 * export const prices: Mount = {
 *   path: '/prices',
 *   name: 'trade-agent prices',
 *   scopes: { 'market:read': ['market:read'] },
 *   largestBody: 1024,
 *   serve: (_request, caller) => caller.fetch('/v1/quotes?symbols=AAPL'),
 * };
 * ```
 */
export interface Mount {
  /** Below the gateway's address: `/mcp`. The audience of its tokens is the address with it. */
  readonly path: `/${string}`;
  /** For people: RFC 9728's `resource_name`. */
  readonly name: string;
  /**
   * The scopes of its tokens, all of which its challenge asks for; each with what it stands for at `/v1`. What carries an
   * order out can be none of them: a mount asks, it does not trade, nor go by a
   * mandate.
   */
  readonly scopes: Readonly<
    Partial<Record<Scope, readonly Exclude<(typeof SESSION_SCOPES)[number], typeof USE_MANDATES>[]>>
  >;
  /** Bytes. */
  readonly largestBody: number;
  /** Refuses tokens that are bound to no key, as `/v1` may (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** @param request without its credentials; its signal ends when the caller goes away */
  serve(request: Request, caller: MountedCaller): Promise<Response>;
}

/** Whose token was verified, without the token. */
export interface MountedCaller {
  readonly sub: string;
  readonly clientId: string;
  /** Of the mount's own. */
  readonly scopes: ReadonlySet<string>;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** The gateway's own address, below which the mount is. */
  readonly resource: string;
  /**
   * The gateway's own API, in this process, as this caller: the same handlers, checks and limits as over the network. A 401
   * once the caller's token has expired.
   * @param path `/v1/quotes?symbols=AAPL`
   * @throws the signal's reason
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}
