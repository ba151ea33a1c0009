import { AsyncLocalStorage } from 'node:async_hooks';
import { X509Certificate } from 'node:crypto';
import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import { z } from 'zod';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import { createBoundedFetch } from '../bounded-fetch.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import { mayReferTo } from '../secure-url.ts';
import { startClockTimeLimit, startTimeLimit } from '../time-limit.ts';
import type { ChallengeResponder } from './challenge.ts';
import { ACCOUNT_UNAUTHORIZED, AcmeProblem, explainProblem, problemSchema, type RefusedOrder } from './problem.ts';

/** An account at a certificate authority. Its key can issue and revoke certificates for the home's name. */
export interface AcmeAccount {
  /** The account's private key (PEM). */
  readonly key: string;
  /** The account's URL, which the authority assigns at registration. */
  readonly url?: string | undefined;
}

export interface CertificateOrder {
  /** The authority's directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  readonly host: string;
  readonly account: AcmeAccount;
  /** The address of the terms that the owner agreed to. */
  readonly terms?: string | undefined;
  readonly email?: string | undefined;
  readonly responder: ChallengeResponder;
  /** The local address that answers the challenge, for error messages. */
  readonly answersAt: string;
}

interface Network {
  readonly fetch: typeof fetch;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly signal: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 15_000;
/** Time limit of an order, in milliseconds. Must be less than the 90 s that systemd waits for a service to start. */
const ORDER_TIMEOUT_MS = 80_000;
const MAX_RESPONSE_BYTES = 256 * 1024;
const POLL_MS = [500, 1_000, 2_000, 3_000] as const;
const MAX_POLL_MS = 5_000;

type Acme = typeof import('acme-client');
type Client = InstanceType<Acme['Client']>;

/** The network of the running order. The library has only one HTTP client, shared by all orders. */
const networks = new AsyncLocalStorage<Network & { readonly directory: string }>();

async function loadAcme(): Promise<Acme> {
  const { default: acme } = await import('acme-client');
  acme.axios.defaults.adapter = sendRequest;
  return acme;
}

/**
 * Sends the library's request with our size-limited `fetch`. If the authority refuses, throws an error that the library
 * neither retries nor shortens. The library itself retries only requests with a rejected nonce.
 */
const sendRequest: AxiosAdapter = async (config: InternalAxiosRequestConfig) => {
  const network = networks.getStore();
  const url = config.url ?? '';
  if (network === undefined || !mayReferTo(network.directory, url)) throw new Error(`${url} is not allowed`);
  const limit = startTimeLimit(REQUEST_TIMEOUT_MS, network.signal);
  try {
    const method = (config.method ?? 'get').toUpperCase();
    const response = await createBoundedFetch(network.fetch, MAX_RESPONSE_BYTES)(url, {
      method,
      headers: Object.fromEntries(
        Object.entries(config.headers.toJSON()).filter(
          (header): header is [string, string] => typeof header[1] === 'string',
        ),
      ),
      redirect: 'error',
      signal: limit.signal,
      ...(method === 'POST' ? { body: String(config.data) } : {}),
    });
    const data = await response.text();
    if (response.status >= 400) rejectProblem(response, data, network);
    const { status, statusText, headers } = response;
    return { data, status, statusText, headers: Object.fromEntries(headers), config };
  } finally {
    limit.end();
  }
};

function rejectProblem({ status, headers }: Response, text: string, { clock }: Network): void {
  const { data } = problemSchema.safeParse(parseJson(text));
  const problem = data ?? problemSchema.parse({ detail: `HTTP ${status}` });
  if (problem.type.endsWith(':badNonce')) return;
  const isRefused = problem.type.endsWith(':unauthorized');
  throw new AcmeProblem(
    { ...problem, type: isRefused ? ACCOUNT_UNAUTHORIZED : problem.type },
    parseRetryAfterMs(headers.get('retry-after'), clock.now()),
  );
}

/** Returns the address of an authority's terms of service, if it has any. @throws {TradeAgentError} `certificate_failed` */
export async function readTermsAddress(directory: string, network: Network): Promise<string | undefined> {
  const acme = await loadAcme();
  const client = new acme.Client({ directoryUrl: directory, accountKey: await acme.crypto.createPrivateEcdsaKey() });
  return await within(network, directory, async () => (await client.getTermsOfServiceUrl()) ?? undefined);
}

export async function createAccountKey(): Promise<string> {
  const acme = await loadAcme();
  return (await acme.crypto.createPrivateEcdsaKey()).toString();
}

/**
 * Orders a certificate and answers the authority's challenge. Returns the chain and its private key (PEM).
 * @param registered called as soon as the account exists, so that it can be saved even if the order fails
 * @throws {TradeAgentError} `certificate_failed` with what to do; `invalid_config` if the owner has not agreed to the
 * terms; `port_in_use`; `timeout`
 */
export async function orderCertificate(
  order: CertificateOrder,
  network: Network,
  registered: (account: AcmeAccount) => void,
): Promise<string> {
  const acme = await loadAcme();
  const { directory, host, responder, answersAt } = order;
  await responder.requirePort();
  const refused: RefusedOrder = { authority: new URL(directory).hostname, host, type: responder.type, answersAt };
  return await within(network, directory, async (limited) => {
    try {
      return await placeOrder(acme, order, limited, registered);
    } catch (error) {
      if (!(error instanceof AcmeProblem)) throw error;
      throw await explainProblem(error, refused, error instanceof FailedChallenge ? error.tried : undefined);
    }
  });
}

/** Runs requests to an authority within a time limit, and explains network failures. */
async function within<T>(network: Network, directory: string, work: (network: Network) => Promise<T>): Promise<T> {
  const { hostname } = new URL(directory);
  const limit = startClockTimeLimit(network.clock as Clock, ORDER_TIMEOUT_MS, network.signal, () => {
    const seconds = ORDER_TIMEOUT_MS / 1000;
    return new TradeAgentError('timeout', `${hostname} issued no certificate within ${seconds} seconds`, {
      hint: 'Try again later. If this continues, look at the status page of the authority.',
    });
  });
  const limited = { ...network, signal: limit.signal };
  try {
    return await networks.run({ ...limited, directory }, () => work(limited));
  } catch (error) {
    limit.signal.throwIfAborted();
    if (isTradeAgentError(error)) throw error;
    const why = error instanceof AcmeProblem ? error.detail : networkProblem(error);
    throw new TradeAgentError('certificate_failed', `the authority ${hostname} can't be used: ${why}`, {
      hint: 'Check this machine’s internet connection, and "acme.directory" in home.yaml.',
      cause: error,
    });
  } finally {
    limit.end();
  }
}

function networkProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return `no answer within ${REQUEST_TIMEOUT_MS / 1000} seconds`;
  const { code, message = error.message } = (error.cause ?? {}) as { code?: string; message?: string };
  return code ?? message;
}

async function placeOrder(
  acme: Acme,
  order: CertificateOrder,
  network: Network,
  registered: (account: AcmeAccount) => void,
): Promise<string> {
  const { directory, host, account } = order;
  const identifiers = [{ type: 'dns', value: host }];
  const connect = async (url: string | undefined) => {
    const client = new acme.Client({
      directoryUrl: directory,
      accountKey: account.key,
      ...defined({ accountUrl: url }),
    });
    if (url === undefined) {
      await register(client, order);
      registered({ key: account.key, url: client.getAccountUrl() });
    }
    return client;
  };
  let client = await connect(account.url);
  const placed = await client.createOrder({ identifiers }).catch(async (error: unknown) => {
    // An authority that was reset does not know the account. The agreement to its terms is still checked.
    if (!(error instanceof AcmeProblem) || error.type !== 'accountDoesNotExist') throw error;
    client = await connect(undefined);
    return await client.createOrder({ identifiers });
  });
  for (const authorization of await client.getAuthorizations(placed)) {
    if (authorization.status !== 'valid') await authorize(client, authorization, { order, placed, network });
  }
  const [key, request] = await acme.crypto.createCsr({ altNames: [host] }, await acme.crypto.createPrivateEcdsaKey());
  let state = await poll(
    network,
    () => client.getOrder(placed),
    ({ status }) => status !== 'pending',
  );
  if (state.status === 'ready') state = await client.finalizeOrder(state, request);
  state = await poll(
    network,
    () => client.getOrder(placed),
    ({ status }) => status !== 'processing' && status !== 'ready',
  );
  if (state.status !== 'valid') throw problemOf((state as { error?: unknown }).error);
  const chain = await client.getCertificate(state);
  requireUsable(chain, host);
  return `${chain.trim()}\n${key.toString().trim()}\n`;
}

async function register(client: Client, { directory, terms, email }: CertificateOrder): Promise<void> {
  const current = (await client.getTermsOfServiceUrl()) ?? undefined;
  if (current !== undefined && current !== terms) {
    throw new TradeAgentError('invalid_config', `you have not agreed to the terms of ${new URL(directory).hostname}`, {
      hint: `Read ${current}. If you agree, set "terms: ${current}" under "acme" in home.yaml.`,
    });
  }
  await client.createAccount({
    termsOfServiceAgreed: true,
    ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
  });
}

type Authorization = Awaited<ReturnType<Client['getAuthorizations']>>[number];

/** A failed challenge, with the address that the authority tried. */
class FailedChallenge extends AcmeProblem {
  readonly tried: string | undefined;

  constructor(problem: z.output<typeof problemSchema>, tried: string | undefined) {
    super(problem);
    this.tried = tried;
  }
}

async function authorize(
  client: Client,
  authorization: Authorization,
  { order, placed, network }: { readonly order: CertificateOrder; readonly placed: Placed; readonly network: Network },
): Promise<void> {
  const { host, responder } = order;
  const challenge = authorization.challenges.find(({ type }) => type === responder.type);
  if (challenge === undefined) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ');
    throw new TradeAgentError('invalid_config', `the authority offers no ${responder.type} challenge (${offered})`, {
      hint: 'Change "acme.challenge" in home.yaml.',
    });
  }
  const keyAuthorization = await client.getChallengeKeyAuthorization(challenge);
  const stop = await responder.answer({ host, token: challenge.token, keyAuthorization });
  try {
    await client.completeChallenge(challenge);
    const states = await poll(
      network,
      () => client.getAuthorizations(placed),
      (all) => all.every(({ url, status }) => url !== authorization.url || status !== 'pending'),
    );
    const state = states.find(({ url }) => url === authorization.url);
    if (state?.status !== 'valid') throw challengeProblem(state?.challenges.find(({ url }) => url === challenge.url));
  } finally {
    await stop();
  }
}

type Placed = Awaited<ReturnType<Client['createOrder']>>;

/** Fields of a validated challenge that the library's types lack. Boulder (Let's Encrypt) lists its attempts. */
const checkedSchema = z.object({
  error: z.unknown(),
  validationRecord: z
    .array(z.object({ addressUsed: z.string().optional(), port: z.coerce.string().optional() }))
    .optional()
    .catch(undefined),
});

function challengeProblem(challenge: unknown): AcmeProblem {
  const { data } = checkedSchema.safeParse(challenge);
  const attempt = data?.validationRecord?.at(-1);
  const tried = attempt?.addressUsed && [attempt.addressUsed, ...(attempt.port ? [attempt.port] : [])].join(' port ');
  return new FailedChallenge(problemSchema.safeParse(data?.error).data ?? problemSchema.parse({}), tried);
}

function problemOf(error: unknown): AcmeProblem {
  return new AcmeProblem(
    problemSchema.safeParse(error).data ?? problemSchema.parse({ detail: 'the certificate order failed' }),
  );
}

async function poll<T>({ clock, signal }: Network, read: () => Promise<T>, isDone: (state: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const state = await read();
    if (isDone(state)) return state;
    await clock.sleep(POLL_MS[attempt] ?? MAX_POLL_MS, signal);
  }
}

function requireUsable(chain: string, host: string): void {
  if (new X509Certificate(chain).checkHost(host) !== undefined) return;
  throw new TradeAgentError('certificate_failed', `the authority issued a certificate that is not for ${host}`);
}
