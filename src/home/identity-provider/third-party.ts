import { createHash } from 'node:crypto';
import { z } from 'zod';

export interface VaultConnection {
  /** Base URL. Its OAuth endpoints are `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`. */
  readonly url: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
  /**
   * Redirect URI of this connection only, so that one third party's response can't be mistaken for another's (RFC 9700
   * §4.4).
   */
  readonly redirectUri: string;
  /** Display name. Defaults to the connection's name. */
  readonly label?: string;
  /** All scopes that may be requested from the third party. Defaults to {@link BROKER_SCOPES}. */
  readonly scopes?: readonly string[];
}

/** An authorization request to a third party (RFC 6749 §4.1.1, RFC 7636). */
export interface ThirdPartyRequest {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly state: string;
  /** PKCE verifier. Must stay secret until the code is redeemed. */
  readonly verifier: string;
}

const TIMEOUT_MS = 10_000;

const tokenResponseSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int().positive(),
  refresh_token: z.string().min(1).optional(),
  scope: z.string().optional(),
});
export type TokenResponse = z.output<typeof tokenResponseSchema>;

export type ThirdPartyClient = ReturnType<typeof createThirdPartyClient>;

/** Creates the vault's client for third parties, which are OAuth 2.0 servers. The vault is a confidential client. */
export function createThirdPartyClient(request: typeof fetch) {
  const send = async (url: string, body: URLSearchParams): Promise<Response> => {
    try {
      return await request(url, {
        method: 'POST',
        body,
        headers: { accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new VaultError('broker_unreachable', 'the broker did not respond');
    }
  };

  return {
    authorizationUrl,

    /** Obtains tokens for a grant. @throws {VaultError} `reconnect_needed`, `broker_unreachable` */
    async tokens(connection: VaultConnection, grant: Readonly<Record<string, string>>): Promise<TokenResponse> {
      const response = await send(
        `${connection.url}/oauth/token`,
        new URLSearchParams({ ...grant, ...connection.client }),
      );
      if (response.status === 400 || response.status === 401) {
        throw new VaultError('reconnect_needed', 'the broker no longer accepts this connection');
      }
      const parsed = tokenResponseSchema.safeParse(await response.json().catch(() => undefined));
      if (!response.ok || !parsed.success) {
        throw new VaultError(
          'broker_unreachable',
          `the broker's token endpoint gave no usable response (${response.status})`,
        );
      }
      return parsed.data;
    },

    /** Submits the login and consent form on the person's behalf and returns the code. @throws {VaultError} */
    async allow(
      connection: VaultConnection,
      asked: ThirdPartyRequest,
      credentials: { readonly username: string; readonly password: string },
    ): Promise<string> {
      const url = authorizationUrl(connection, asked);
      const response = await send(url, new URLSearchParams({ ...credentials, decision: 'allow' }));
      const location = URL.parse(response.headers.get('location') ?? '', url);
      const expected = new URL(connection.redirectUri);
      const isAnswer =
        location !== null &&
        location.origin === expected.origin &&
        location.pathname === expected.pathname &&
        location.searchParams.get('state') === asked.state;
      const code = isAnswer ? location.searchParams.get('code') : null;
      if (!code) {
        throw new VaultError(
          'not_connected',
          `the broker refused to connect ${credentials.username} (${response.status})`,
        );
      }
      return code;
    },

    /** Revokes the consent and its tokens (RFC 7009). @returns false if the third party could not be reached */
    async revoke(connection: VaultConnection, token: string): Promise<boolean> {
      const response = await send(
        `${connection.url}/oauth/revoke`,
        new URLSearchParams({ token, ...connection.client }),
      ).catch(() => undefined);
      return response?.ok ?? false;
    },
  };
}

function authorizationUrl(
  { url, client, redirectUri }: VaultConnection,
  { scopes, state, verifier }: ThirdPartyRequest,
): string {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${url}/oauth/authorize?${parameters}`;
}

/** Why the vault has no token. `broker_unreachable` may be temporary. All other reasons require the person to act. */
export type VaultErrorCode =
  | 'unknown_connection'
  | 'not_connected'
  | 'reconnect_needed'
  | 'invalid_scope'
  | 'broker_unreachable';

/** An error of the vault. Never contains a token or a response body. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly refusal: VaultErrorCode;
  constructor(refusal: VaultErrorCode, message: string) {
    super(message);
    this.refusal = refusal;
  }
}
