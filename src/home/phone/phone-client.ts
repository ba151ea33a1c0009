import { z } from 'zod';
import { type SoftwareKey, softwareKey } from '../../approval/signature/software-key.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { type PhoneRequest, phoneRequestSchema } from './phone-request.ts';

export type { PhoneRequest } from './phone-request.ts';

/** The sandbox's phone, driven from a program. Every call throws only TradeAgentErrors. */
export interface PhoneClient {
  /**
   * The user's pending requests, oldest first. With `waitSeconds` it waits that long for the first one.
   * @throws {TradeAgentError} `not_found` (no such user), `provider_unreachable`, `invalid_config` (wrong pairing secret)
   */
  requests(user: string, options?: { waitSeconds?: number; signal?: AbortSignal }): Promise<PhoneRequest[]>;
  /** The pending requests, then those decided or expired lately. */
  allRequests(user: string): Promise<PhoneRequest[]>;
  /**
   * One request, whatever became of it. Waits up to `waitSeconds` until it is decided (or withdrawn, or expired), or
   * until the gateway has told how an approved proposal ended.
   * @throws {TradeAgentError} `not_found`
   */
  request(
    id: string,
    options?: { until?: 'decision' | 'outcome'; waitSeconds?: number; signal?: AbortSignal },
  ): Promise<PhoneRequest>;
  /**
   * An approval is signed by the user's key: their software key, or the one that the client was told of (`keyOf`).
   * @throws {TradeAgentError} `not_found`, `approval_expired` (or withdrawn), `usage` (already decided the other way),
   *   `provider_error` (not signed by a key that is enrolled)
   */
  decide(id: string, decision: 'approve' | 'deny'): Promise<PhoneRequest>;
  /** Completes a device sign-in. @throws {TradeAgentError} `not_found`, `login_expired`, `usage` (used already) */
  completeDevice(user: string, userCode: string): Promise<DeviceSignIn>;
  /**
   * Stands in for the user's browser where an account is to be connected.
   * @throws {TradeAgentError} `not_found`: no such ticket, already answered, or another user's
   */
  answerConnection(user: string, ticket: string, decision: 'approve' | 'deny'): Promise<AnsweredConnection>;
  /** A link that sets up a browser as the user's phone, with a passkey of its own, once, within ten minutes. */
  pairing(user: string): Promise<{ url: string }>;
  /** A link that signs a browser in as `user`, to read and to deny, once, within ten minutes. */
  ticket(user: string): Promise<{ url: string }>;
  /** Lets one program register itself as a client that may ask `user`, within ten minutes. */
  registrationToken(user: string): Promise<{ token: string }>;
}

const deviceSignInSchema = z.object({
  user: z.string(),
  client_name: z.string(),
  device_name: z.string().nullable(),
  scopes: z.array(z.string()),
});
type DeviceSignIn = z.output<typeof deviceSignInSchema>;

const answeredConnectionSchema = z.object({
  user: z.string(),
  connection: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  status: z.enum(['open', 'expired', 'connected', 'denied', 'failed']),
});
export type AnsweredConnection = z.output<typeof answeredConnectionSchema>;

const ticketSchema = z.object({ url: z.url() });
const registrationSchema = z.object({ token: z.string() });

/** Milliseconds on top of the time the server may wait. */
const TIMEOUT = 10_000;
/** The server waits no longer than this in one request, seconds. */
const MOST_WAIT = 25;

interface PhoneClientOptions {
  /** Any address of the sandbox's identity provider; the page's (`…/phone`) will do. */
  readonly phone: string;
  readonly pairingSecret: string;
  readonly fetch?: typeof fetch;
  /** What a user's approvals are signed by: their software key, which follows from the pairing secret, unless said otherwise. */
  readonly keyOf?: (user: string) => Pick<SoftwareKey, 'sign'>;
}

export function createPhoneClient(options: PhoneClientOptions): PhoneClient {
  const call = caller(options);
  const noUser = (user: string) => ({
    404: () =>
      new TradeAgentError('not_found', `the sandbox has no user ${JSON.stringify(user)}`, {
        hint: 'Its users are alice and bob.',
      }),
  });
  const requestPath = (user: string, more: Record<string, string>) =>
    `/phone/api/requests?${new URLSearchParams({ user, ...more })}`;

  return {
    requests: (user, { waitSeconds = 0, signal } = {}) => {
      const wait = Math.min(Math.max(0, waitSeconds), MOST_WAIT);
      return call(
        z.array(phoneRequestSchema),
        requestPath(user, wait > 0 ? { wait: String(wait) } : {}),
        noUser(user),
        signal === undefined ? { waitMs: wait * 1000 } : { waitMs: wait * 1000, signal },
      );
    },
    allRequests: (user) =>
      call(z.array(phoneRequestSchema), requestPath(user, { status: 'all' }), noUser(user)),
    request: (id, { until = 'decision', waitSeconds = 0, signal } = {}) => {
      const wait = Math.min(Math.max(0, waitSeconds), MOST_WAIT);
      return call(
        phoneRequestSchema,
        `/phone/api/requests/${encodeURIComponent(id)}?${new URLSearchParams({ until, wait: String(wait) })}`,
        { 404: noRequest(id) },
        { waitMs: wait * 1000, ...defined({ signal }) },
      );
    },
    decide: decider(options, call),
    completeDevice: (user, userCode) =>
      call(
        deviceSignInSchema,
        '/phone/api/device',
        {
          404: () =>
            new TradeAgentError(
              'not_found',
              `no device waits with code ${userCode}, or there is no user ${user}`,
              {
                hint: 'Compare the code with the one that login shows.',
              },
            ),
          409: () =>
            new TradeAgentError('usage', `code ${userCode} was already used`, { hint: 'Start login again.' }),
          410: () =>
            new TradeAgentError('login_expired', `code ${userCode} has expired`, {
              hint: 'Start login again.',
            }),
        },
        { body: { user, user_code: userCode } },
      ),
    answerConnection: (user, ticket, decision) =>
      call(
        answeredConnectionSchema,
        '/phone/api/connections',
        {
          404: () =>
            new TradeAgentError('not_found', `${user} has no account to connect under this link`, {
              hint: 'Take the link that "trade-agent connections add" shows; each can be answered once.',
            }),
        },
        { body: { user, ticket, decision } },
      ),
    pairing: (user) => call(ticketSchema, '/phone/api/pairings', noUser(user), { body: { user } }),
    ticket: (user) => call(ticketSchema, '/phone/api/tickets', noUser(user), { body: { user } }),
    registrationToken: (user) =>
      call(registrationSchema, '/phone/api/registrations', noUser(user), { body: { user } }),
  };
}

function noRequest(id: string) {
  return () => new TradeAgentError('not_found', `there is no request ${id}`);
}

/** Answers a request; an approval is signed by the user's own key. */
function decider(
  { phone, pairingSecret, keyOf = (user) => softwareKey(pairingSecret, user) }: PhoneClientOptions,
  call: Call,
): PhoneClient['decide'] {
  /** Nothing of one that waits no more: it is answered as what it is. */
  const signed = async (path: string, id: string) => {
    const { user, details, status } = await call(phoneRequestSchema, path, { 404: noRequest(id) });
    if (status !== 'pending') return undefined;
    try {
      return keyOf(user).sign(details, { origin: new URL(phone).origin });
    } catch (error) {
      // What can't be signed can be approved only where no signature is asked for; the phone says which it is.
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  };
  return async (id, decision) => {
    const path = `/phone/api/requests/${encodeURIComponent(id)}`;
    const body = decision === 'approve' ? { decision, evidence: await signed(path, id) } : { decision };
    const errors = {
      403: (said: string) =>
        new TradeAgentError('provider_error', `request ${id} was not approved: ${said}`, {
          hint: 'Is the pairing secret that of the sandbox that is running?',
        }),
      404: noRequest(id),
      409: () =>
        new TradeAgentError('usage', `request ${id} was already decided the other way`, {
          hint: 'A decision is final; ask for the order again.',
        }),
      410: () =>
        new TradeAgentError('approval_expired', `request ${id} has expired or was withdrawn`, {
          hint: 'Ask for the order again.',
        }),
    };
    return await call(phoneRequestSchema, path, errors, { body });
  };
}

type Call = ReturnType<typeof caller>;

/** One call, its answer read by a schema. `errors` says what a status means there. */
function caller({ phone, pairingSecret, fetch: request = fetch }: PhoneClientOptions) {
  return async function call<T>(
    schema: z.ZodType<T>,
    path: string,
    errors: Readonly<Record<number, (said: string) => TradeAgentError>>,
    init: { body?: unknown; signal?: AbortSignal; waitMs?: number } = {},
  ): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT + (init.waitMs ?? 0));
    const signal = init.signal === undefined ? timeout : AbortSignal.any([timeout, init.signal]);
    let response: Response;
    let body: unknown;
    try {
      response = await request(new URL(path, phone), {
        method: init.body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${pairingSecret}`,
          ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: init.body === undefined ? null : JSON.stringify(init.body),
        redirect: 'error',
        signal,
      });
      body = await response.json();
    } catch (cause) {
      if (init.signal?.aborted) throw new TradeAgentError('interrupted', 'stopped waiting for the phone');
      throw new TradeAgentError('provider_unreachable', "the sandbox's phone did not answer", {
        hint: 'Is the sandbox running? Start it with: trade-agent sandbox',
        cause,
      });
    }
    if (response.status === 401) {
      throw new TradeAgentError('invalid_config', 'the sandbox does not accept this pairing secret', {
        hint: 'The secret is in the file pairing-secret in the home of the sandbox that is running.',
      });
    }
    const known = errors[response.status];
    if (known !== undefined) throw known(saidIn(body));
    const parsed = response.ok ? schema.safeParse(body) : undefined;
    if (!parsed?.success) {
      throw new TradeAgentError(
        'provider_error',
        `the sandbox's phone gave no usable answer (${response.status})`,
      );
    }
    return parsed.data;
  };
}

/** What the phone said of a refusal, in one line. */
function saidIn(body: unknown): string {
  const said = z.object({ message: z.string() }).safeParse(body).data;
  return said === undefined ? 'no reason was given' : safeLine(said.message, 200);
}
