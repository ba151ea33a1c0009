import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import {
  type ConnectionResult,
  createPhoneClient,
  type PhoneClient,
  type PhoneRequest,
} from '../home/phone/phone-client.ts';
import type { App } from './app.ts';

/** Returns a client for the sandbox's phone. @throws {TradeAgentError} `invalid_config` for another user's sandbox */
async function openPhone(app: App): Promise<PhoneClient> {
  const { phone } = await app.sandbox();
  return createPhoneClient({ phone, pairingSecret: await readPairingSecret(app), fetch: app.fetch });
}

async function readPairingSecret(app: App): Promise<string> {
  const { home } = await app.sandbox();
  const file = join(home, 'pairing-secret');
  const pairingSecret = await readFile(file, 'utf8').catch((cause) => {
    throw new TradeAgentError('invalid_config', `the phone's pairing secret can't be read: ${file}`, {
      hint: 'Run the phone as the user who runs the sandbox.',
      cause,
    });
  });
  return pairingSecret.trim();
}

/**
 * Confirms a login code.
 * @param at whether the code belongs to a login at the home or at a company
 * @throws {TradeAgentError} `not_found`, `login_expired`, `usage` if the code was already used
 */
export async function confirmLogin(
  app: App,
  user: string,
  code: string,
  at: 'home' | 'company' = 'home',
): Promise<void> {
  if (at === 'home') await (await openPhone(app)).completeDevice(user, code);
  else await confirmAtCompany(app, user, code);
}

const CONFIRM_TIMEOUT_MS = 10_000;

async function confirmAtCompany(app: App, user: string, code: string): Promise<void> {
  const { company } = await app.sandbox();
  if (company === undefined) {
    throw new TradeAgentError('not_found', 'the sandbox has no company', {
      hint: 'Start it with "trade-agent sandbox --company".',
    });
  }
  const { status } = await app.fetch(`${company.issuer}/device/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await readPairingSecret(app)}` },
    body: JSON.stringify({ user_code: code, user }),
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)]),
  });
  if (status === 200) return;
  throw new TradeAgentError('not_found', `the company has no pending code ${code}, or no user ${user}`, {
    hint: 'Check the code that "trade-agent login" shows. The users are alice and bob.',
  });
}

/**
 * Approves or denies, in the user's name, connecting an account at a third-party service.
 * @param given the ticket, or a link that contains the ticket
 * @throws {TradeAgentError} `not_found` if the ticket does not exist, was already used, or belongs to another user
 */
export async function answerConnectionRequest(
  app: App,
  user: string,
  given: string,
  decision: 'approve' | 'deny',
): Promise<ConnectionResult> {
  const ticket = (URL.canParse(given) ? new URL(given).searchParams.get('ticket') : given) ?? given;
  return await (await openPhone(app)).answerConnection(user, ticket, decision);
}

/**
 * Returns a one-time link that sets up a browser as the user's phone.
 * @param options.readOnly if true, the link only signs in, and the browser can read and deny requests but not approve
 * @throws {TradeAgentError} `not_found`
 */
export async function createPhoneLink(
  app: App,
  user: string,
  { readOnly }: { readonly readOnly: boolean },
): Promise<string> {
  const phone = await openPhone(app);
  return (await (readOnly ? phone.ticket(user) : phone.pairing(user))).url;
}

/** Seconds for which the provider may keep a request open, well below the timeouts of proxies and clients. */
const WAIT_SECONDS = 20;
/** Seconds to wait for an order's outcome. Orders are sent immediately, and usually fill within a second or two. */
const OUTCOME_SECONDS = 5;

export type Decision = 'approve' | 'deny';

/** A decision, and the code that the person typed, if the request needs it. */
export interface DecisionAnswer {
  readonly decision: Decision;
  readonly code?: string;
}

/** Asks the person for a decision. Resolves with undefined if none is made. Rejects when `signal` aborts. */
export type AskForDecision = (request: PhoneRequest, signal: AbortSignal) => Promise<DecisionAnswer | undefined>;

interface PhoneWatch {
  readonly user: string;
  /** A fixed decision, or a function that asks the person each time. */
  readonly decide: Decision | AskForDecision;
  readonly once: boolean;
  readonly waiting: () => void;
  readonly shown: (request: PhoneRequest) => void;
  /** Called if the request was withdrawn, has expired, or was decided elsewhere before the person answered. */
  readonly onClosed: (request: PhoneRequest, status: PhoneRequest['status']) => void;
  /** Called after the decision. `request.outcome` is the outcome, if already known. */
  readonly onDecided: (request: PhoneRequest, decision: Decision) => Promise<void>;
}

/**
 * Acts as the user's phone and decides each request as it arrives.
 * @throws {TradeAgentError} any error from {@link PhoneClient}; the signal's reason when the signal aborts
 */
export async function watchPhone(app: App, watch: PhoneWatch): Promise<void> {
  const { signal } = app;
  const phone = await openPhone(app);
  const left = new Set<string>();
  watch.waiting();
  for (;;) {
    signal.throwIfAborted();
    const requests = await phone.requests(watch.user, { waitSeconds: WAIT_SECONDS, signal });
    const request = requests.find(({ id }) => !left.has(id));
    if (request === undefined) {
      // The server responds immediately while requests that the person left open are pending. The pause avoids a tight
      // loop.
      if (left.size > 0) await app.clock.sleep(1000, signal);
      continue;
    }
    watch.shown(request);
    const { decide } = watch;
    const answer =
      typeof decide === 'string' ? { decision: decide } : await askUntilGone(app, phone, request, watch, decide);
    if (answer === 'gone') continue;
    if (answer === undefined) left.add(request.id);
    else if ((await submitDecision(app, phone, request, answer, watch)) && watch.once) return;
  }
}

/** Asks the person. Returns `gone` if the request expires, is withdrawn, or is decided elsewhere in the meantime. */
async function askUntilGone(
  app: App,
  phone: PhoneClient,
  request: PhoneRequest,
  { onClosed: tellOver }: PhoneWatch,
  ask: AskForDecision,
): Promise<DecisionAnswer | 'gone' | undefined> {
  const over = new AbortController();
  const answered = new AbortController();
  const watching = watchRequest(app, phone, request, answered.signal).then((status) => {
    if (status === undefined) return;
    tellOver(request, status);
    over.abort();
  });
  try {
    return await ask(request, AbortSignal.any([app.signal, over.signal]));
  } catch (error) {
    if (over.signal.aborted && !app.signal.aborted) return 'gone';
    throw error;
  } finally {
    answered.abort();
    await watching;
  }
}

/**
 * Waits until the request is closed elsewhere, and returns its status. Returns undefined if `answered` aborts or the
 * phone is unreachable.
 */
async function watchRequest(
  app: App,
  phone: PhoneClient,
  { id }: PhoneRequest,
  answered: AbortSignal,
): Promise<PhoneRequest['status'] | undefined> {
  const signal = AbortSignal.any([app.signal, answered]);
  while (!signal.aborted) {
    const now = await phone.request(id, { waitSeconds: WAIT_SECONDS, signal }).catch(() => undefined);
    if (now === undefined || signal.aborted) return undefined;
    if (now.status !== 'pending') return now.status;
  }
  return undefined;
}

/** Sends the decision. Returns false if the request was no longer open. */
async function submitDecision(
  app: App,
  phone: PhoneClient,
  request: PhoneRequest,
  { decision, code }: DecisionAnswer,
  watch: PhoneWatch,
): Promise<boolean> {
  let decided: PhoneRequest;
  try {
    decided = await phone.decide(request.id, decision, code);
  } catch (error) {
    if (!isTradeAgentError(error) || !['approval_expired', 'usage', 'not_found'].includes(error.code)) throw error;
    app.tell(error.message);
    return false;
  }
  if (decision === 'approve' && request.kind !== null) {
    decided = await phone
      .request(request.id, { until: 'outcome', waitSeconds: OUTCOME_SECONDS, signal: app.signal })
      .catch(() => decided);
  }
  await watch.onDecided(decided, decision);
  return true;
}
