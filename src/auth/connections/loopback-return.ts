import { createHash, randomBytes } from 'node:crypto';
import { type LoopbackRedirect, listenForRedirect } from '../../net/loopback-redirect.ts';

/** What the browser brought back. */
export type ReturnedAnswer =
  | { readonly connectCode: string; readonly error?: undefined }
  | { readonly error: string };

/** A server on 127.0.0.1 that the person's browser comes back to, once. */
export interface LoopbackReturn extends LoopbackRedirect<ReturnedAnswer> {
  readonly state: string;
  /** PKCE, S256 (RFC 7636). */
  readonly codeChallenge: string;
  readonly codeVerifier: string;
}

/**
 * Listens on 127.0.0.1 for the browser's return; an answer is one that carries our state.
 * @param port as registered at the provider; 0 for any
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listenForReturn(port: number): Promise<LoopbackReturn> {
  const state = randomBytes(24).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  const redirect = await listenForRedirect<ReturnedAnswer>({
    port,
    path: '/connected',
    read: (query) => {
      if (query.get('state') !== state) return undefined;
      const code = query.get('connect_code');
      return code ? { connectCode: code } : { error: query.get('error') ?? 'invalid_response' };
    },
    thanks: ({ error }) =>
      error === undefined ? 'Go back to your terminal.' : 'Nothing was connected. Go back to your terminal.',
    portHint: 'Stop what listens there, or choose another with --redirect-port; the provider must know it.',
  });
  return {
    ...redirect,
    state,
    codeVerifier,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
  };
}
