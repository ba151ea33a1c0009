import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { createBoundedFetch, isResponseTooLarge, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import { PROVIDER_TIMEOUT_S } from '../provider/provider.ts';
import { requiresDpopNonce } from '../session/gateway-request.ts';

const startedSchema = z.object({
  auth_session: z.string().min(1),
  connect_uri: z.string(),
  connect_params: z.object({ ticket: z.string().min(1) }),
  expires_in: z.number().positive(),
  interval: z.number().positive().optional(),
});

const accountSchema = z.object({
  id: z.string(),
  connection: z.string(),
  scopes: z.array(z.string()).optional(),
  created_at: z.string().optional(),
});
export type ConnectedAccount = z.output<typeof accountSchema>;

type ConnectionProgress =
  | { readonly status: 'connected'; readonly account: ConnectedAccount }
  | { readonly status: 'pending' | 'denied' | 'expired' | 'failed' };

interface ConnectedAccountsAccess {
  /** Base URL without a trailing slash. */
  readonly endpoint: string;
  /** Returns headers that authorize this request. @throws {TradeAgentError} */
  readonly authorize: (method: string, url: URL) => Promise<Record<string, string>>;
  /** Called with each response, which may carry the nonce for the next DPoP proof (RFC 9449 §9). */
  readonly answered?: (url: URL, response: Response) => void;
  readonly fetch?: typeof fetch | undefined;
}

export type ConnectedAccountsClient = ReturnType<typeof createConnectedAccountsClient>;

const progressByCode = {
  authorization_pending: 'pending',
  access_denied: 'denied',
  expired_token: 'expired',
  connection_failed: 'failed',
} as const;

/**
 * Creates a client for Auth0's My Account API, or for a provider with the same API (docs/operate/providers/other.md).
 */
export function createConnectedAccountsClient(access: ConnectedAccountsAccess) {
  const { endpoint } = access;
  const { origin } = new URL(endpoint);
  const request = createRequester(access);

  const ask = async <T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: Record<string, unknown>,
  ): Promise<T> => {
    const { response, answer } = await request(method, path, body);
    if (!response.ok) throw apiError(response.status, origin);
    return parsed(schema, answer);
  };

  const parsed = <T>(schema: z.ZodType<T>, answer: unknown): T => {
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    throw invalidResponse(origin);
  };

  return {
    /**
     * Starts a connection.
     * @param request.redirect the address that the browser must return to, with an unguessable `state` and PKCE (RFC
     * 7636); absent if the provider completes the connection itself
     * @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `login_required`, `insufficient_scope`
     */
    async start(request: {
      connection: string;
      scopes: readonly string[];
      redirect?: { redirectUri: string; state: string; codeChallenge?: string };
      /** This machine's name, shown to the person by providers that support it (docs/operate/providers/other.md). */
      deviceName?: string;
    }) {
      const { connection, scopes, redirect, deviceName } = request;
      const started = await ask('POST', 'connect', startedSchema, {
        connection,
        scopes,
        ...defined({ device_name: deviceName }),
        ...(redirect === undefined
          ? {}
          : {
              redirect_uri: redirect.redirectUri,
              state: redirect.state,
              ...(redirect.codeChallenge === undefined
                ? {}
                : { code_challenge: redirect.codeChallenge, code_challenge_method: 'S256' }),
            }),
      });
      const { ticket } = started.connect_params;
      const address = new URL(started.connect_uri, `${endpoint}/`);
      address.searchParams.set('ticket', ticket);
      // The address is opened in a browser, so only the provider's own origin is allowed.
      if (!isSecureUrl(address.href) || address.origin !== origin) {
        throw new TradeAgentError('provider_error', `${origin} sent an address on another site`, {
          hint: 'Check that it is the right identity provider.',
        });
      }
      return {
        address: address.href,
        ticket,
        /** Secret to pass to `complete`, so that only the client that started the connection can complete it. */
        authSession: started.auth_session,
        /** Lifetime in seconds. */
        expiresIn: started.expires_in,
        /** Seconds between polls, if the provider specifies them. */
        interval: started.interval,
      };
    },

    /** Completes a connection. @param request.connectCode the single-use `connect_code` from the redirect */
    complete: (request: {
      authSession: string;
      connectCode: string;
      redirectUri: string;
      codeVerifier?: string;
    }): Promise<ConnectedAccount> =>
      ask('POST', 'complete', accountSchema, {
        auth_session: request.authSession,
        connect_code: request.connectCode,
        redirect_uri: request.redirectUri,
        ...defined({ code_verifier: request.codeVerifier }),
      }),

    async progress(authSession: string): Promise<ConnectionProgress> {
      const { response, answer } = await request('POST', 'complete', { auth_session: authSession });
      if (response.ok) return { status: 'connected', account: parsed(accountSchema, answer) };
      const { code } =
        z.object({ code: z.enum(Object.keys(progressByCode) as (keyof typeof progressByCode)[]) }).safeParse(answer)
          .data ?? {};
      if (code === undefined) throw apiError(response.status, origin);
      return { status: progressByCode[code] };
    },

    list: async (): Promise<readonly ConnectedAccount[]> =>
      (await ask('GET', 'accounts', z.object({ accounts: z.array(accountSchema) }))).accounts,

    remove: async (id: string): Promise<void> => {
      await ask('DELETE', `accounts/${encodeURIComponent(id)}`, z.undefined());
    },
  };
}

/** Creates a function that sends API requests. It repeats a request once if the server demands a DPoP nonce. */
function createRequester({ endpoint, authorize, answered, fetch: ownFetch = fetch }: ConnectedAccountsAccess) {
  const send = createBoundedFetch(ownFetch, MAX_PROVIDER_RESPONSE_BYTES);
  const { origin } = new URL(endpoint);

  const sendOnce = async (method: string, url: URL, body: Record<string, unknown> | undefined) => {
    const headers = await authorize(method, url);
    try {
      const response = await send(url, {
        method,
        headers: {
          accept: 'application/json',
          ...headers,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // Following a redirect would send the token to an unknown address.
        redirect: 'error',
        signal: AbortSignal.timeout(PROVIDER_TIMEOUT_S * 1000),
      });
      answered?.(url, response);
      return { response, answer: parseJson(await response.text()) };
    } catch (error) {
      if (isResponseTooLarge(error)) throw invalidResponse(origin);
      throw new TradeAgentError('provider_unreachable', `${origin} can't be reached`, {
        hint: 'Check the network, then try again.',
      });
    }
  };
  return async (method: string, path: string, body?: Record<string, unknown>) => {
    const url = new URL(`${endpoint}/${path}`);
    const first = await sendOnce(method, url, body);
    // Repeating the request is safe, because the server did not carry out the request that it rejected.
    return requiresDpopNonce(first.response) ? await sendOnce(method, url, body) : first;
  };
}

function apiError(status: number, origin: string): TradeAgentError {
  switch (status) {
    case 401:
      return loginRequiredError(`${origin} no longer accepts this session`);
    case 403:
      return new TradeAgentError('insufficient_scope', 'you are not allowed to change connected accounts', {
        hint: 'Give the login client access to the My Account API with its connected-accounts scopes, then run "trade-agent login".',
      });
    case 404:
      return new TradeAgentError('not_found', `${origin} has no such account or connection`, {
        hint: 'See "trade-agent connections list".',
      });
    default:
      return status === 429 || status >= 500
        ? new TradeAgentError('provider_unreachable', `${origin} responded with HTTP status ${status}`, {
            hint: 'Try again in a moment.',
          })
        : new TradeAgentError('provider_error', `${origin} responded with HTTP status ${status}`, {
            hint: 'Check the connection’s name and redirect URI at the provider.',
          });
  }
}

function invalidResponse(origin: string): TradeAgentError {
  return new TradeAgentError('provider_error', `${origin} sent an invalid response`, {
    hint: 'Check that it is the right identity provider.',
  });
}
