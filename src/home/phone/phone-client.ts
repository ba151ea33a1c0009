import { z } from 'zod';
import { deriveSoftwareKey, type SoftwareKey } from '../../approval/signature/software-key.ts';
import { type ErrorCode, TradeAgentError } from '../../errors/errors.ts';
import { normalizeCode } from '../../store/home/recovery-codes.ts';
import { safeLine } from '../../text/sanitize.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { type PhoneRequest, phoneRequestSchema } from './phone-request.ts';

export type { PhoneRequest } from './phone-request.ts';

const deviceSignInSchema = z.object({
  user: z.string(),
  client_name: z.string(),
  device_name: z.string().nullable(),
  scopes: z.array(z.string()),
});

const connectionResultSchema = z.object({
  user: z.string(),
  connection: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  status: z.enum(['open', 'expired', 'connected', 'denied', 'failed']),
});
export type ConnectionResult = z.output<typeof connectionResultSchema>;

const ticketSchema = z.object({ url: z.url() });
const registrationSchema = z.object({ token: z.string() });

/** Timeout in milliseconds, added to the time for which the server may wait. */
const TIMEOUT_MS = 10_000;
/** Maximum time in seconds for which the server waits per request. */
const MAX_WAIT_S = 25;

interface PhoneClientOptions {
  /** Any address of the sandbox's identity provider, such as its page `…/phone`. */
  readonly phone: string;
  readonly pairingSecret: string;
  readonly fetch?: typeof fetch;
  /**
   * Returns the key that signs a user's approvals. Defaults to the software key that is derived from the pairing
   * secret.
   */
  readonly keyOf?: (user: string) => Pick<SoftwareKey, 'sign'>;
}

type ErrorsByStatus = Readonly<Record<number, (said: string) => TradeAgentError>>;

/** Client for the sandbox's phone. Its functions throw only TradeAgentErrors. */
export type PhoneClient = ReturnType<typeof createPhoneClient>;

export function createPhoneClient(options: PhoneClientOptions) {
  const { phone, pairingSecret, keyOf = (user) => deriveSoftwareKey(pairingSecret, user) } = options;
  const call = createCaller(options);
  const noRequest = (id: string) => failed('not_found', `there is no request ${id}`);
  const requestPath = (user: string, more: Record<string, string>) =>
    `/phone/api/requests?${new URLSearchParams({ user, ...more })}`;
  const waitOf = (seconds: number) => Math.min(Math.max(0, seconds), MAX_WAIT_S);
  /** Signs an approval. Returns undefined if the request is not pending or can't be signed. */
  const signed = async (path: string, id: string, typed: string | undefined) => {
    const { user, details, status } = await call(phoneRequestSchema, path, { 404: noRequest(id) });
    if (status !== 'pending') return undefined;
    try {
      const coded = typed === undefined ? details : { ...details, code: normalizeCode(typed) };
      return keyOf(user).sign(coded, { origin: new URL(phone).origin });
    } catch (error) {
      // Not an error here, because a home that requires no signatures accepts an unsigned approval.
      if (!(error instanceof HttpProblem)) throw error;
      return undefined;
    }
  };

  return {
    /**
     * Returns the user's pending requests, oldest first. If there are none, waits up to `waitSeconds` for one.
     * @throws {TradeAgentError} `not_found` (no such user), `provider_unreachable`, `invalid_config` (wrong pairing
     *   secret)
     */
    requests: (
      user: string,
      { waitSeconds = 0, signal }: { waitSeconds?: number; signal?: AbortSignal } = {},
    ): Promise<PhoneRequest[]> => {
      const wait = waitOf(waitSeconds);
      const path = requestPath(user, wait > 0 ? { wait: String(wait) } : {});
      return call(z.array(phoneRequestSchema), path, noUser(user), {
        waitMs: wait * 1000,
        ...defined({ signal }),
      });
    },
    /** Returns the pending requests, followed by recently decided or expired requests. */
    allRequests: (user: string): Promise<PhoneRequest[]> =>
      call(z.array(phoneRequestSchema), requestPath(user, { status: 'all' }), noUser(user)),
    /**
     * Returns one request in any state. Waits up to `waitSeconds` until it is decided, or until the gateway has reported
     * the outcome of an approved proposal.
     * @throws {TradeAgentError} `not_found`
     */
    request: (
      id: string,
      {
        until = 'decision',
        waitSeconds = 0,
        signal,
      }: { until?: 'decision' | 'outcome'; waitSeconds?: number; signal?: AbortSignal } = {},
    ): Promise<PhoneRequest> => {
      const wait = waitOf(waitSeconds);
      const path = `/phone/api/requests/${encodeURIComponent(id)}?${new URLSearchParams({ until, wait: String(wait) })}`;
      const init = { waitMs: wait * 1000, ...defined({ signal }) };
      return call(phoneRequestSchema, path, { 404: noRequest(id) }, init);
    },
    /**
     * Decides a request. An approval is signed with the user's key.
     * @param typed the code that the person typed, if the request's details say `code_entry: typed`
     * @throws {TradeAgentError} `not_found`, `approval_expired` (or withdrawn), `usage` (the opposite was already
     *   decided, or the code is wrong), `provider_error` (not signed by an enrolled key)
     */
    async decide(id: string, decision: 'approve' | 'deny', typed?: string): Promise<PhoneRequest> {
      const path = `/phone/api/requests/${encodeURIComponent(id)}`;
      const body =
        decision === 'approve'
          ? { decision, evidence: await signed(path, id, typed), ...defined({ code: typed }) }
          : { decision };
      const secretHint = 'Check that the pairing secret belongs to the running sandbox.';
      const codeHint = 'Run "trade-agent phone" in a terminal, and type the code that the agent shows.';
      const finalHint = 'Decisions are final. Propose the order again.';
      const failures: ErrorsByStatus = {
        403: (said) => failed('provider_error', `request ${id} was not approved: ${said}`, secretHint)(),
        404: noRequest(id),
        409: failed('usage', `request ${id} was already decided the other way`, finalHint),
        // Trying again without a code would fail again.
        422: (said) =>
          failed(
            typed === undefined ? 'provider_error' : 'usage',
            `request ${id} was not approved: ${said}`,
            codeHint,
          )(),
        410: failed('approval_expired', `request ${id} has expired or was withdrawn`, 'Propose the order again.'),
      };
      return await call(phoneRequestSchema, path, failures, { body });
    },
    /**
     * Creates a link that sets up a browser as the user's phone, with its own passkey. The link works once, within ten
     * minutes.
     */
    pairing: (user: string) => call(ticketSchema, '/phone/api/pairings', noUser(user), { body: { user } }),
    /** Creates a link that signs in a browser, only to view and deny. The link works once, within ten minutes. */
    ticket: (user: string) => call(ticketSchema, '/phone/api/tickets', noUser(user), { body: { user } }),
    ...createGrantCalls(options, call),
  };
}

type Call = ReturnType<typeof createCaller>;

/** Creates the calls that grant access. Each grant is signed with the user's key. */
function createGrantCalls({ phone, pairingSecret, keyOf }: PhoneClientOptions, call: Call) {
  /** Fetches a grant's details from `path` and signs them. */
  const sign = async (user: string, path: string, failures: ErrorsByStatus, body: object) => {
    const details = await call(z.record(z.string(), z.unknown()), path, failures, { body });
    const key = keyOf?.(user) ?? deriveSoftwareKey(pairingSecret, user);
    return { details, evidence: key.sign(details, { origin: new URL(phone).origin }) };
  };
  const notSigned = (what: string) => (said: string) =>
    failed('provider_error', `${what}: ${said}`, 'Check that the pairing secret belongs to the running sandbox.')();

  return {
    /**
     * Completes a device sign-in.
     * @throws {TradeAgentError} `not_found`, `login_expired`, `usage` (already used), `provider_error` (not signed by an
     * enrolled key)
     */
    async completeDevice(user: string, userCode: string) {
      const nobody = `no device is waiting with code ${userCode}, or there is no user ${user}`;
      const failures: ErrorsByStatus = {
        403: notSigned('the device was not signed in'),
        404: failed('not_found', nobody, 'Compare the code with the one shown by login.'),
        409: failed('usage', `code ${userCode} was already used`, 'Start login again.'),
        410: failed('login_expired', `code ${userCode} has expired`, 'Start login again.'),
      };
      const body = { user, user_code: userCode };
      const { evidence } = await sign(user, '/phone/api/device/details', failures, body);
      return await call(deviceSignInSchema, '/phone/api/device', failures, { body: { ...body, evidence } });
    },
    /**
     * Answers a connection request, without a browser.
     * @throws {TradeAgentError} `not_found`: no such ticket, already answered, or another user's ticket;
     * `provider_error` (not signed by an enrolled key)
     */
    async answerConnection(user: string, ticket: string, decision: 'approve' | 'deny') {
      const hint = 'Use the link that "trade-agent connections add" shows. Each link works once.';
      const failures = {
        403: notSigned('the account was not connected'),
        404: failed('not_found', `${user} can't connect an account with this link`, hint),
      };
      const body = { user, ticket, decision };
      const signed =
        decision === 'approve' ? await sign(user, '/phone/api/connections/details', failures, body) : undefined;
      const given = { ...body, ...defined({ evidence: signed?.evidence }) };
      return await call(connectionResultSchema, '/phone/api/connections', failures, { body: given });
    },
    /** Creates a token with which one client can register, within ten minutes, to request approvals from `user`. */
    async registrationToken(user: string) {
      const failures = { ...noUser(user), 403: notSigned('no token was created') };
      const { details, evidence } = await sign(user, '/phone/api/registrations/details', failures, { user });
      const body = { user, grant: details.identifier, evidence };
      return await call(registrationSchema, '/phone/api/registrations', failures, { body });
    },
  };
}

const failed = (code: ErrorCode, message: string, hint?: string) => () =>
  new TradeAgentError(code, message, defined({ hint }));

const noUser = (user: string): ErrorsByStatus => ({
  404: failed('not_found', `the sandbox has no user ${JSON.stringify(user)}`, 'Its users are alice and bob.'),
});

interface CallOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly waitMs?: number;
}

/** Creates a function that calls the phone API and validates the response. `failures` maps HTTP statuses to errors. */
function createCaller({ phone, pairingSecret, fetch: request = fetch }: PhoneClientOptions) {
  const ask = async (path: string, { body, signal, waitMs = 0 }: CallOptions) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS + waitMs);
    try {
      const response = await request(new URL(path, phone), {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${pairingSecret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'error',
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return { response, body: await response.json() };
    } catch (cause) {
      if (signal?.aborted) throw new TradeAgentError('interrupted', 'stopped waiting for the phone');
      throw new TradeAgentError('provider_unreachable', "the sandbox's phone did not respond", {
        hint: 'Is the sandbox running? Start it with: trade-agent sandbox',
        cause,
      });
    }
  };
  return async function call<T>(
    schema: z.ZodType<T>,
    path: string,
    failures: ErrorsByStatus,
    init: CallOptions = {},
  ): Promise<T> {
    const { response, body } = await ask(path, init);
    if (response.status === 401) {
      throw new TradeAgentError('invalid_config', 'the sandbox does not accept this pairing secret', {
        hint: 'The secret is in the file pairing-secret in the folder of the running sandbox.',
      });
    }
    const known = failures[response.status];
    if (known !== undefined) throw known(errorReason(body));
    const parsed = response.ok ? schema.safeParse(body) : undefined;
    if (!parsed?.success) {
      throw new TradeAgentError('provider_error', `the sandbox's phone gave no usable response (${response.status})`);
    }
    return parsed.data;
  };
}

function errorReason(body: unknown): string {
  const said = z.object({ message: z.string() }).safeParse(body).data;
  return said === undefined ? 'no reason was given' : safeLine(said.message, 200);
}
