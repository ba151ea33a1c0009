import { z } from 'zod';
import { TradeAgentError } from '../../trading/errors.ts';
import { PROVIDER_TIMEOUT_S } from '../provider.ts';
import { isSecureUrl } from '../secure-url.ts';

const startedSchema = z.object({
  auth_session: z.string().min(1),
  connect_uri: z.string(),
  connect_params: z.object({ ticket: z.string().min(1) }),
  expires_in: z.number().positive(),
});

const accountSchema = z.object({
  id: z.string(),
  connection: z.string(),
  scopes: z.array(z.string()).optional(),
});
export type ConnectedAccount = z.output<typeof accountSchema>;

/** A connection that waits for the person to sign in at the third party. */
export interface StartedConnection {
  /** To be opened in the person's browser. */
  readonly address: string;
  /** Secret: ties the end to this start. */
  readonly authSession: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export interface MyAccountAccess {
  readonly issuer: string;
  /** For the audience `ISSUER/me/`, with the scopes `create:`, `read:` and `delete:me:connected_accounts`. */
  readonly accessToken: string;
  readonly fetch?: typeof fetch | undefined;
}

/** Auth0's My Account API, the part about accounts elsewhere that the person connects to their own. */
export function auth0ConnectedAccounts({ issuer, accessToken, fetch: send = fetch }: MyAccountAccess) {
  const base = new URL('me/v1/connected-accounts/', issuer.endsWith('/') ? issuer : `${issuer}/`);

  const ask = async <T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: Record<string, unknown>,
  ): Promise<T> => {
    let response: Response;
    try {
      response = await send(new URL(path, base), {
        method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A redirect would carry the token to an address nobody chose.
        redirect: 'error',
        signal: AbortSignal.timeout(PROVIDER_TIMEOUT_S * 1000),
      });
    } catch {
      throw new TradeAgentError('provider_unreachable', `${base.origin} can't be reached`, {
        hint: 'Check the network, then try again.',
      });
    }
    if (!response.ok) throw refused(response.status, base.origin);
    const text = await response.text();
    const parsed = schema.safeParse(text === '' ? undefined : jsonOrNothing(text));
    if (parsed.success) return parsed.data;
    throw new TradeAgentError('provider_error', `${base.origin} sent an answer that makes no sense`, {
      hint: 'Check that it is the right identity provider.',
    });
  };

  return {
    /**
     * @param state unguessable; comes back with the person
     * @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `login_required`, `insufficient_scope`
     */
    async start(request: {
      connection: string;
      redirectUri: string;
      state: string;
      scopes: readonly string[];
    }): Promise<StartedConnection> {
      const started = await ask('POST', 'connect', startedSchema, {
        connection: request.connection,
        redirect_uri: request.redirectUri,
        state: request.state,
        scopes: request.scopes,
      });
      const address = new URL(started.connect_uri, base);
      address.searchParams.set('ticket', started.connect_params.ticket);
      // It is opened in a browser: only the provider's own page will do.
      if (!isSecureUrl(address.href) || address.origin !== base.origin) {
        throw new TradeAgentError('provider_error', `${base.origin} sent an address that is not its own`, {
          hint: 'Check that it is the right identity provider.',
        });
      }
      return { address: address.href, authSession: started.auth_session, expiresIn: started.expires_in };
    },

    /** @param connectCode the `connect_code` the person came back with. Good once. */
    complete: (request: {
      authSession: string;
      connectCode: string;
      redirectUri: string;
    }): Promise<ConnectedAccount> =>
      ask('POST', 'complete', accountSchema, {
        auth_session: request.authSession,
        connect_code: request.connectCode,
        redirect_uri: request.redirectUri,
      }),

    list: async (): Promise<readonly ConnectedAccount[]> =>
      (await ask('GET', 'accounts', z.object({ accounts: z.array(accountSchema) }))).accounts,

    remove: async (id: string): Promise<void> => {
      await ask('DELETE', `accounts/${encodeURIComponent(id)}`, z.undefined());
    },
  };
}

function refused(status: number, origin: string): TradeAgentError {
  if (status === 401) {
    return new TradeAgentError('login_required', `${origin} no longer accepts this session`, {
      hint: 'Run "trade-agent login".',
    });
  }
  if (status === 403) {
    return new TradeAgentError('insufficient_scope', 'you may not change connected accounts', {
      hint: 'Allow the login client the My Account API with its connected-accounts scopes.',
    });
  }
  return status === 429 || status >= 500
    ? new TradeAgentError('provider_unreachable', `${origin} answered with HTTP status ${status}`, {
        hint: 'Try again in a moment.',
      })
    : new TradeAgentError('provider_error', `${origin} answered with HTTP status ${status}`, {
        hint: 'Check the connection’s name and the redirect address there.',
      });
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
