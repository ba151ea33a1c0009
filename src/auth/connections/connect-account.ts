import { createHash, randomBytes } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { getMachineName } from '../../machine/machine-name.ts';
import { listenForRedirect } from '../../net/loopback-redirect.ts';
import { expiryTime } from '../provider/lifetime.ts';
import type { ConnectedAccount, ConnectedAccountsClient } from './connected-accounts-client.ts';

export interface PendingConnection {
  readonly address: string;
  readonly ticket: string;
  readonly expiresAt: number;
  /**
   * Waits until the person has finished in the browser.
   * @throws {TradeAgentError} `login_denied`, `login_expired`, `provider_error`; `signal.reason` if it aborts
   */
  complete(signal: AbortSignal): Promise<ConnectedAccount>;
  close(): Promise<void>;
}

export interface AccountConnectionOptions {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly finish: 'provider' | 'loopback';
  /**
   * Local port to which the provider redirects the browser to complete a `loopback` connection. The provider must know
   * this redirect URI.
   */
  readonly redirectPort: number;
  readonly clock: Clock;
}

/** Seconds between polls if the provider does not specify an interval (RFC 8628 §3.2). */
const DEFAULT_INTERVAL_S = 5;
const MAX_PAUSE_S = 30;

/**
 * Starts to connect an account at a third-party service.
 * @throws {TradeAgentError} `port_in_use`, and the errors of {@link ConnectedAccountsClient}'s `start`
 */
export async function beginAccountConnection(
  accounts: ConnectedAccountsClient,
  options: AccountConnectionOptions,
): Promise<PendingConnection> {
  return options.finish === 'provider' ? finishAtProvider(accounts, options) : finishOnLoopback(accounts, options);
}

async function finishAtProvider(
  accounts: ConnectedAccountsClient,
  { connection, scopes, clock }: AccountConnectionOptions,
): Promise<PendingConnection> {
  const startedAt = clock.now();
  const started = await accounts.start({ connection, scopes, deviceName: getMachineName() });
  const { address, ticket, authSession, interval = DEFAULT_INTERVAL_S } = started;
  const expiresAt = expiryTime(startedAt, started.expiresIn);
  return {
    address,
    ticket,
    expiresAt,
    close: async () => undefined,
    async complete(signal) {
      let pause = 0;
      for (;;) {
        await clock.sleep(Math.min(pause * 1000, Math.max(0, expiresAt - clock.now())), signal);
        const progress = await accounts.progress(authSession).catch((error: unknown) => {
          // The network may recover, and the deadline ends the retries.
          if (error instanceof TradeAgentError && error.code === 'provider_unreachable') return undefined;
          throw error;
        });
        signal.throwIfAborted();
        if (progress?.status === 'connected') return progress.account;
        if (progress !== undefined && progress.status !== 'pending') throw connectionFailure(progress.status);
        if (clock.now() >= expiresAt) throw connectionFailure('expired');
        pause = progress === undefined ? Math.min(Math.max(1, pause * 2), MAX_PAUSE_S) : interval;
      }
    },
  };
}

/**
 * Completes the connection on this machine. The provider redirects the browser to a local port (RFC 8252 §7.3) with a
 * code that only this process can redeem (PKCE).
 */
async function finishOnLoopback(
  accounts: ConnectedAccountsClient,
  { connection, scopes, clock, redirectPort }: AccountConnectionOptions,
): Promise<PendingConnection> {
  const back = await listenForReturn(redirectPort);
  try {
    const startedAt = clock.now();
    const started = await accounts.start({
      connection,
      scopes,
      redirect: { redirectUri: back.redirectUri, state: back.state, codeChallenge: back.codeChallenge },
    });
    const expiresAt = expiryTime(startedAt, started.expiresIn);
    return {
      address: started.address,
      ticket: started.ticket,
      expiresAt,
      close: back.close,
      async complete(signal) {
        const over = new AbortController();
        try {
          const late = clock.sleep(expiresAt - clock.now(), over.signal).then(() => {
            throw connectionFailure('expired');
          });
          late.catch(() => undefined);
          const answer = await Promise.race([back.answer(signal), late]);
          if (answer.error !== undefined)
            throw connectionFailure(answer.error === 'access_denied' ? 'denied' : 'failed');
          return await accounts.complete({
            authSession: started.authSession,
            connectCode: answer.connectCode,
            redirectUri: back.redirectUri,
            codeVerifier: back.codeVerifier,
          });
        } finally {
          over.abort();
          await back.close();
        }
      },
    };
  } catch (error) {
    await back.close();
    throw error;
  }
}

const failureTexts = {
  denied: [
    'login_denied',
    'access was denied at the other service, so nothing was connected',
    'If that was a mistake, run the command again.',
  ],
  failed: ['provider_error', 'the other service refused the connection', 'Run the command again.'],
  expired: ['login_expired', 'nobody signed in at the other service in time', 'Run the command again.'],
} as const;

function connectionFailure(how: keyof typeof failureTexts): TradeAgentError {
  const [code, message, hint] = failureTexts[how];
  return new TradeAgentError(code, message, { hint });
}

type RedirectResult = { readonly connectCode: string; readonly error?: undefined } | { readonly error: string };

/** Listens on 127.0.0.1 for the redirect with our `state`. @throws {TradeAgentError} `port_in_use` */
async function listenForReturn(port: number) {
  const state = randomBytes(24).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  const redirect = await listenForRedirect<RedirectResult>({
    port,
    path: '/connected',
    read: (query) => {
      if (query.get('state') !== state) return undefined;
      const code = query.get('connect_code');
      return code ? { connectCode: code } : { error: query.get('error') ?? 'invalid_response' };
    },
    thanks: ({ error }) =>
      error === undefined ? 'Go back to your terminal.' : 'Nothing was connected. Go back to your terminal.',
    portHint:
      'Stop the program that listens on the port, or pass another port with --redirect-port. The port must be registered at the provider.',
  });
  return {
    ...redirect,
    state,
    codeVerifier,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
  };
}
