import { randomBytes } from 'node:crypto';
import {
  type AuthProvider,
  auth,
  computeScopeUnion,
  extractWWWAuthenticateParams,
  type InsufficientScopeError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  withDpopFromProvider,
} from '@modelcontextprotocol/client';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { type LoopbackRedirectOptions, listenForRedirect } from '../../net/loopback-redirect.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import type { McpCredentialStore } from '../../secrets/places/mcp-credentials.ts';
import { safeLine } from '../../text/sanitize.ts';
import { defined } from '../../values/defined.ts';
import { StoredAuthorization, type StoredClient, type StoredTokens } from './stored-authorization.ts';

type UnauthorizedContext = Parameters<NonNullable<AuthProvider['onUnauthorized']>>[0];

/** How long the person may take to sign in through the browser, in milliseconds. */
const SIGN_IN_TIMEOUT_MS = 300_000;
const CALLBACK = '/callback';

/** Thrown if a sign-in is required, but nobody is there to sign in. */
export class SignInRequiredError extends Error {
  override name = 'SignInRequiredError';
}

/** Parameters of the server's challenge (RFC 9728, RFC 6750). */
interface Challenge {
  readonly resourceMetadataUrl?: URL | undefined;
  readonly scope?: string | undefined;
}

interface AuthorizationOptions {
  readonly serverUrl: string;
  readonly credentials: McpCredentialStore;
  /** A `fetch` that already limits response sizes and times. */
  readonly fetch: typeof fetch;
  /**
   * The client's registration, for a server without dynamic registration. If the ID is an https URL, it is the
   * address of a client ID metadata document (CIMD).
   */
  readonly client?: { readonly client_id: string; readonly client_secret?: string } | undefined;
}

/**
 * Authorizes trade-agent at one MCP server with the SDK: authorization code with PKCE and a loopback redirect, token
 * refresh, and DPoP. If there is nobody to sign in, it can only refresh the token.
 */
export class McpServerAuthorization implements AuthProvider {
  readonly #options: AuthorizationOptions;
  readonly #kept: StoredAuthorization;
  #challenge: Challenge = {};

  constructor(options: AuthorizationOptions) {
    this.#options = options;
    this.#kept = new StoredAuthorization(options.credentials, options.serverUrl);
  }

  /** A `fetch` for the server that adds a DPoP proof if the token is bound to a key. */
  get fetch(): typeof fetch {
    const provider = this.#provider(undefined, false);
    return withDpopFromProvider(provider)(this.#options.fetch as never) as typeof fetch;
  }

  async token(): Promise<string | undefined> {
    return (await this.#kept.tokens())?.access_token;
  }

  /** Refreshes the token if possible. @throws {SignInRequiredError} if the person has to sign in */
  async onUnauthorized({ response }: UnauthorizedContext): Promise<void> {
    this.#challenge = extractWWWAuthenticateParams(response);
    const used = await this.token();
    if (used === undefined) throw new SignInRequiredError();
    // Refreshes under a lock, because two processes that use the same refresh token would both lose it.
    await this.#options.credentials.exclusively(async () => {
      if ((await this.token()) !== used) return;
      await this.#auth(this.#provider(undefined, false));
    });
  }

  /** Causes the next sign-in to request all scopes granted so far and the missing scopes. */
  async widen({ requiredScope, resourceMetadataUrl }: InsufficientScopeError): Promise<void> {
    const { scope } = (await this.#kept.tokens()) ?? {};
    this.#challenge = {
      resourceMetadataUrl: resourceMetadataUrl ?? this.#challenge.resourceMetadataUrl,
      scope: computeScopeUnion(this.#challenge.scope, scope, requiredScope),
    };
  }

  /**
   * Signs the person in through a browser.
   * @param open receives the URL to open
   * @throws {TradeAgentError} `login_denied`, `login_expired`, `port_in_use`, `mcp_server_failed`; the signal's
   *   reason
   */
  async signIn(open: (url: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    const state = randomBytes(24).toString('base64url');
    const redirect = await this.#listen(state);
    const provider = this.#provider({ redirectUri: redirect.redirectUri, state, open }, true);
    try {
      if ((await this.#auth(provider)) === 'AUTHORIZED') return;
      const late = AbortSignal.timeout(SIGN_IN_TIMEOUT_MS);
      const answer = await redirect.answer(AbortSignal.any([signal, late])).catch((error: unknown) => {
        if (!late.aborted || signal.aborted) throw error;
        throw new TradeAgentError('login_expired', 'nobody signed in within five minutes', {
          hint: 'Try again.',
        });
      });
      const { code, iss, error } = answer;
      if (code === undefined) {
        throw new TradeAgentError('login_denied', `the sign-in failed: ${safeLine(error, 80)}`, {
          hint: 'Try again. Nothing was stored.',
        });
      }
      provider.returned();
      await this.#auth(provider, { authorizationCode: code, ...defined({ iss }) });
    } finally {
      await redirect.close();
    }
  }

  async #listen(state: string) {
    const options: Omit<LoopbackRedirectOptions<RedirectResult>, 'port'> = {
      path: CALLBACK,
      read: (query: URLSearchParams) =>
        query.get('state') === state
          ? {
              code: query.get('code') ?? undefined,
              iss: query.get('iss') ?? undefined,
              error: query.get('error') ?? 'the response contains no code',
            }
          : undefined,
      thanks: ({ code }) =>
        code === undefined ? 'Sign-in failed. Go back to your terminal.' : 'Go back to your terminal.',
      portHint: 'Try again.',
    };
    const port = await this.#kept.port();
    const redirect = await listenForRedirect({ ...options, port }).catch((error: unknown) => {
      if (!isTradeAgentError(error) || port === 0) throw error;
      return listenForRedirect({ ...options, port: 0 });
    });
    await this.#kept.savePort(Number(new URL(redirect.redirectUri).port));
    return redirect;
  }

  #auth(provider: OAuthClientProvider, more: { authorizationCode?: string; iss?: string } = {}) {
    const { resourceMetadataUrl, scope } = this.#challenge;
    return auth(provider, {
      serverUrl: this.#options.serverUrl,
      fetchFn: this.#options.fetch as never,
      ...defined({ resourceMetadataUrl, scope }),
      ...more,
    });
  }

  #provider(person: SignInSession | undefined, mayMakeKey: boolean): StoringProvider {
    return new StoringProvider(this.#kept, this.#options.client, person, mayMakeKey);
  }
}

interface RedirectResult {
  readonly code: string | undefined;
  readonly iss: string | undefined;
  readonly error: string;
}

interface SignInSession {
  readonly redirectUri: string;
  readonly state: string;
  readonly open: (url: string) => Promise<void>;
}

/** Stores the authorization for the SDK. If nobody can sign in, it rejects every step that requires a person. */
class StoringProvider implements OAuthClientProvider {
  readonly clientMetadataUrl?: string;
  readonly #kept: StoredAuthorization;
  readonly #registered: AuthorizationOptions['client'];
  readonly #person: SignInSession | undefined;
  readonly #mayMakeKey: boolean;
  #verifier = '';
  /** The discovery state that was saved before the redirect, to detect a changed authorization server (SEP-2352). */
  #discovered: OAuthDiscoveryState | undefined;
  #isReturn = false;
  #dpop: ReturnType<StoredAuthorization['dpop']> | undefined;

  constructor(
    kept: StoredAuthorization,
    registered: AuthorizationOptions['client'],
    person: SignInSession | undefined,
    mayMakeKey: boolean,
  ) {
    this.#kept = kept;
    this.#person = person;
    this.#mayMakeKey = mayMakeKey;
    const isDocument = registered?.client_id.startsWith('https://') === true;
    if (isDocument) this.clientMetadataUrl = registered.client_id;
    this.#registered = isDocument ? undefined : registered;
  }

  get redirectUrl(): string {
    return this.#person?.redirectUri ?? `http://127.0.0.1${CALLBACK}`;
  }

  get clientMetadata() {
    return {
      client_name: 'trade-agent',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
  }

  state(): string {
    return this.#person?.state ?? '';
  }

  async clientInformation(at?: { issuer: string }): Promise<StoredOAuthClientInformation | undefined> {
    if (this.#registered !== undefined) return this.#registered;
    const kept = at === undefined ? undefined : await this.#kept.client(at.issuer);
    if (this.#person === undefined) {
      if (kept === undefined) throw new SignInRequiredError();
      return kept as StoredOAuthClientInformation;
    }
    const isForAnotherPort = kept?.redirect_uris?.includes(this.redirectUrl) === false;
    return isForAnotherPort ? undefined : (kept as StoredOAuthClientInformation | undefined);
  }

  async saveClientInformation(client: StoredOAuthClientInformation, at?: { issuer: string }): Promise<void> {
    if (this.#registered === undefined && at !== undefined)
      await this.#kept.saveClient(at.issuer, client as StoredClient);
  }

  async tokens(at?: { issuer: string }): Promise<StoredOAuthTokens | undefined> {
    return (await this.#kept.tokens(at?.issuer)) as StoredOAuthTokens | undefined;
  }

  async saveTokens(tokens: StoredOAuthTokens, at?: { issuer: string }): Promise<void> {
    await this.#kept.saveTokens(at?.issuer ?? tokens.issuer ?? '', tokens as StoredTokens);
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    if (this.#person === undefined) throw new SignInRequiredError();
    if (!isSecureUrl(url.href)) {
      throw new TradeAgentError('mcp_server_failed', 'the sign-in URL is not an https URL', {
        hint: 'Report this to the server’s operator.',
      });
    }
    await this.#person.open(url.href);
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovered = state;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#isReturn ? this.#discovered : undefined;
  }

  /** Called after the redirect. The SDK then gets the discovery state that was saved before the redirect. */
  returned(): void {
    this.#isReturn = true;
  }

  dpop() {
    this.#dpop ??= this.#kept.dpop(this.#mayMakeKey);
    return this.#dpop;
  }

  async invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): Promise<void> {
    if (scope === 'all' || scope === 'tokens') await this.#kept.forgetTokens();
    const issuer = this.#discovered?.authorizationServerMetadata?.issuer;
    if ((scope === 'all' || scope === 'client') && issuer !== undefined) await this.#kept.forgetClient(issuer);
  }
}
