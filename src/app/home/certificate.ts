import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import {
  DEFAULT_DIRECTORY,
  formatListenAddress,
  type HomeSettings,
  type ListenAddress,
  parseHostPort,
} from '../../home/settings/home-settings.ts';
import type { Clock } from '../../machine/clock.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import { ChallengeResponder } from '../../net/acme/challenge.ts';
import type { AcmeAccount } from '../../net/acme/order-certificate.ts';
import type { HttpServer, TlsFiles } from '../../net/http-server.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../values/durations.ts';
import { homeFilePaths } from './home-files.ts';

type AcmeSettings = NonNullable<HomeSettings['acme']>;

const HTTP_LISTEN: ListenAddress = { host: '0.0.0.0', port: 80 };

/** Schema of `acme.json`. Its account key is secret, because it can issue certificates for the home's name. */
const stateSchema = z.strictObject({
  directory: z.string(),
  account: z.strictObject({ key: z.string(), url: z.string().optional() }),
  /** Times of failed attempts in the last hour, so that a service that keeps restarting stays within the limit. */
  failures: z.array(z.iso.datetime()).max(100),
  /** The authority accepts no further attempt before this time. */
  not_before: z.iso.datetime().optional(),
  last_failure: z.strictObject({ at: z.iso.datetime(), message: z.string(), hint: z.string() }).optional(),
});
type CertificateState = z.output<typeof stateSchema>;

const MAX_STATE_BYTES = 64 * 1024;
/** Let's Encrypt allows five failed attempts per hour and name. One of them is reserved for a manual attempt. */
const MAX_FAILURES_PER_HOUR = 4;
const FIRST_RETRY_MS = 30 * MINUTE_MS;
const MAX_RETRY_MS = 12 * HOUR_MS;
/** Interval in milliseconds for checking whether an attempt is due. A single timer would be late after a suspension. */
const CHECK_INTERVAL_MS = 15 * MINUTE_MS;

/** Reads `acme.json`. @throws {TradeAgentError} `state_corrupt` if the file can't be used */
export function readCertificateState(folder: string): CertificateState | undefined {
  const file = homeFilePaths(folder).acme;
  const unusable = (why: string) =>
    new TradeAgentError('state_corrupt', `${file} can't be used: ${why}`, {
      hint: 'Fix it, or remove it. The home then registers a new account with the certificate authority.',
      details: { file },
    });
  const text = readPrivateFile(file, MAX_STATE_BYTES, unusable);
  if (text === undefined) return undefined;
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    throw unusable('its format is unknown');
  }
}

interface HeldCertificate {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** Returns the validity period of the home's certificate, or undefined if there is none for this host. */
function readHeldCertificate(folder: string, host: string): HeldCertificate | undefined {
  const file = homeFilePaths(folder).certificate;
  const unusable = (why: string) =>
    new TradeAgentError('state_corrupt', `${file} can't be used: ${why}`, {
      hint: 'Remove it. The home then gets a new certificate.',
      details: { file },
    });
  const text = readPrivateFile(file, MAX_STATE_BYTES, unusable);
  if (text === undefined) return undefined;
  const certificate = parseCertificate(text);
  if (certificate?.checkHost(host) === undefined) return undefined;
  return { startsAt: Date.parse(certificate.validFrom), endsAt: Date.parse(certificate.validTo) };
}

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

/** Returns when to renew: after two thirds of the lifetime (for 90 days, that is 30 days before expiry). */
const renewalDueAt = ({ startsAt, endsAt }: HeldCertificate) => endsAt - (endsAt - startsAt) / 3;

const daysLeft = ({ endsAt }: Pick<HeldCertificate, 'endsAt'>, now: number) =>
  Math.max(0, Math.floor((endsAt - now) / DAY_MS));

interface CertificateApp {
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/**
 * Obtains the home's certificate from an authority (ACME) and renews it. The state is stored in files, so that even a
 * home that keeps restarting stays within the authority's limits.
 */
export class HomeCertificate {
  readonly files: TlsFiles;
  readonly #app: CertificateApp;
  readonly #folder: string;
  readonly #host: string;
  readonly #acme: AcmeSettings;
  readonly #responder: ChallengeResponder;
  readonly #answersAt: string;

  /** Creates the certificate's manager. @param listen the home's address and port for https */
  constructor(
    app: CertificateApp,
    { folder, address, acme, listen }: { folder: string; address: string; acme: AcmeSettings; listen: ListenAddress },
  ) {
    const { challenge = 'tls-alpn-01', http_listen: http } = acme;
    const httpListen = (http === undefined ? undefined : parseHostPort(http)) ?? HTTP_LISTEN;
    this.#app = app;
    this.#folder = folder;
    this.#host = new URL(address).hostname;
    this.#acme = acme;
    this.#responder = new ChallengeResponder(challenge, httpListen);
    this.#answersAt = formatListenAddress(challenge === 'http-01' ? httpListen : listen);
    const { certificate: file } = homeFilePaths(folder);
    this.files = { certFile: file, keyFile: file, challengeFor: this.#responder.certificateFor };
  }

  get #directory(): string {
    return this.#acme.directory ?? DEFAULT_DIRECTORY;
  }

  /** Returns the certificate in use, or undefined if there is none yet. */
  held(): HeldCertificate | undefined {
    const state = readCertificateState(this.#folder);
    // A certificate from another authority, such as a test authority, is replaced immediately.
    return state?.directory === this.#directory ? readHeldCertificate(this.#folder, this.#host) : undefined;
  }

  /** Returns a warning for the owner: that the certificate was not renewed, and how long it is still valid. */
  warning(): string | undefined {
    const failure = this.#state()?.last_failure;
    const held = failure === undefined ? undefined : this.held();
    if (failure === undefined || held === undefined) return undefined;
    const left = daysLeft(held, this.#app.clock.now());
    return `Its certificate expires in ${left} days and was not renewed: ${failure.message}. ${failure.hint}`;
  }

  /**
   * Obtains a certificate if there is no valid one, then renews it in the background until the returned function is
   * called. If a renewal fails, the old certificate stays in use.
   * @throws {TradeAgentError} `certificate_failed`, `invalid_config`, `port_in_use`, `timeout`
   */
  async keep(server: Pick<HttpServer, 'loadCertificate'>): Promise<() => Promise<void>> {
    const { clock, tell, signal } = this.#app;
    const held = this.held();
    if (held === undefined || held.endsAt <= clock.now()) {
      tell(`Getting a certificate for ${this.#host} from ${new URL(this.#directory).hostname}.`);
      this.#requireAllowed();
      await this.#order(server, signal);
    }
    const stop = new AbortController();
    const running = this.#renew(server, AbortSignal.any([signal, stop.signal]));
    return async () => {
      stop.abort();
      await running;
    };
  }

  async #renew(server: Pick<HttpServer, 'loadCertificate'>, signal: AbortSignal): Promise<void> {
    const { clock, tell } = this.#app;
    let failures = 0;
    let next = 0;
    while (!signal.aborted) {
      const held = this.held();
      const dueAt = Math.max(held === undefined ? 0 : renewalDueAt(held), next, this.#allowedAt());
      if (clock.now() < dueAt) {
        await clock.sleep(Math.min(dueAt - clock.now(), CHECK_INTERVAL_MS), signal).catch(() => undefined);
        continue;
      }
      try {
        await this.#order(server, signal);
        failures = 0;
        // Limits the rate of requests, even if the authority issues certificates that are already due for renewal.
        next = clock.now() + HOUR_MS;
      } catch (error) {
        if (signal.aborted) return;
        const { message, hint } = describeFailure(error);
        next = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS);
        failures += 1;
        const left = held === undefined ? 0 : daysLeft(held, clock.now());
        tell(
          `warning: the certificate was not renewed and expires in ${left} days: ${message}. ${hint} Next attempt at ${formatTime(Math.max(next, this.#allowedAt()))}.`,
        );
      }
    }
  }

  /** Requires that an attempt is allowed now. @throws {TradeAgentError} `certificate_failed` */
  #requireAllowed(): void {
    const at = this.#allowedAt();
    if (at <= this.#app.clock.now()) return;
    const last = this.#state()?.last_failure;
    const why = last === undefined ? '' : `. The last one failed: ${last.message}`;
    throw new TradeAgentError('certificate_failed', `the next attempt is allowed at ${formatTime(at)}${why}`, {
      hint: last?.hint ?? 'Wait until then. Authorities limit failed attempts.',
    });
  }

  #allowedAt(): number {
    const { failures = [], not_before: notBefore } = this.#state() ?? {};
    const recent = failures.map(Date.parse).filter((at) => at > this.#app.clock.now() - HOUR_MS);
    const [oldest] = recent.slice(-MAX_FAILURES_PER_HOUR);
    const full = recent.length < MAX_FAILURES_PER_HOUR || oldest === undefined ? 0 : oldest + HOUR_MS;
    return Math.max(full, notBefore === undefined ? 0 : Date.parse(notBefore));
  }

  /** Returns the stored state if it is for the current authority. */
  #state(): CertificateState | undefined {
    const state = readCertificateState(this.#folder);
    return state?.directory === this.#directory ? state : undefined;
  }

  async #order(server: Pick<HttpServer, 'loadCertificate'>, signal: AbortSignal): Promise<void> {
    const { clock, fetch, tell } = this.#app;
    const { createAccountKey, orderCertificate } = await import('../../net/acme/order-certificate.ts');
    const directory = this.#directory;
    const { terms, email } = this.#acme;
    let state = this.#state() ?? { directory, account: { key: await createAccountKey() }, failures: [] };
    const write = (change: Partial<CertificateState>) => {
      state = { ...state, ...change };
      writePrivateFile(homeFilePaths(this.#folder).acme, `${JSON.stringify(state, null, 2)}\n`);
    };
    write({});
    const registered = (account: AcmeAccount) => write({ account });
    const order = {
      directory,
      host: this.#host,
      account: state.account,
      terms,
      email,
      responder: this.#responder,
      answersAt: this.#answersAt,
    };
    try {
      const pem = await orderCertificate(order, { fetch, clock, signal }, registered);
      writePrivateFile(homeFilePaths(this.#folder).certificate, pem);
      write({ failures: [], not_before: undefined, last_failure: undefined });
    } catch (error) {
      signal.throwIfAborted();
      const now = clock.now();
      const recent = state.failures.filter((at) => Date.parse(at) > now - HOUR_MS).slice(-MAX_FAILURES_PER_HOUR);
      const at = new Date(now).toISOString();
      write({
        failures: isCounted(error) ? [...recent, at] : recent,
        not_before: notBefore(error, now),
        last_failure: { at, ...describeFailure(error) },
      });
      throw error;
    }
    await server.loadCertificate();
    const held = this.held();
    if (held !== undefined) tell(`The certificate for ${this.#host} is valid for ${daysLeft(held, clock.now())} days.`);
  }
}

/** Returns whether the error means that the authority received the attempt, and may count it. */
const isCounted = (error: unknown) =>
  isTradeAgentError(error) && (error.details.problem !== undefined || error.code === 'timeout');

function notBefore(error: unknown, now: number): string | undefined {
  const { cause } = error as { cause?: { retryAfterMs?: unknown } };
  return typeof cause?.retryAfterMs === 'number' ? new Date(now + cause.retryAfterMs).toISOString() : undefined;
}

function describeFailure(error: unknown): { message: string; hint: string } {
  const message = error instanceof Error ? error.message : 'unknown error';
  return { message, hint: (isTradeAgentError(error) ? error.hint : undefined) ?? 'Try again later.' };
}

const formatTime = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
