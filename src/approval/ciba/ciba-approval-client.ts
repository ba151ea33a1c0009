import type { JWK } from 'jose';
import type { TokenEndpointResponse } from 'openid-client';
import { verifyIdToken } from '../../auth/provider/id-token.ts';
import { expiryTime } from '../../auth/provider/lifetime.ts';
import { type ProviderAccess, retryWithProviderTime } from '../../auth/provider/provider.ts';
import { clockSecondsAhead } from '../../auth/provider/provider-clock.ts';
import {
  classifyProviderFailure,
  type ProviderFailure,
  toProviderError,
} from '../../auth/provider/provider-failure.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { CIBA_GRANT, CODE_ENTRY_SUPPORTED } from '../../oauth/oauth-names.ts';
import type { RegistrationStorage } from '../../store/registration-storage.ts';
import { differingFields } from '../../trading/approval-details.ts';
import { defined } from '../../values/defined.ts';
import { isObject } from '../../values/is-object.ts';
import {
  type CibaClient,
  type CibaClientFactory,
  type ClientIdSource,
  createCibaClientFactory,
} from './ciba-client.ts';
import type { BackchannelAuthentication, CibaPort, CibaRequest, Outcome, PollResult } from './ciba-port.ts';
import { createRegisteredClientIdSource, createRegistrationFileStorage } from './client-registration.ts';

const OUTCOME_TIMEOUT_MS = 10_000;
const MAX_TEXT_LENGTH = 200;
/** Timeout of a poll in seconds. It must be longer than a provider's long poll, which usually takes 30 s. */
const POLL_TIMEOUT_S = 40;
/** The polling interval if the provider specifies none (CIBA Core §7.3). */
const DEFAULT_INTERVAL_S = 5;
/** Assumed lifetime of a token without `expires_in`, in seconds. */
const UNKNOWN_LIFETIME_S = 60;

const REQUEST_FAILED = 'the approval request could not be sent';

/** The details, person and deadline that the response to a poll must match. */
type ExpectedAnswer = Parameters<CibaPort['poll']>[1];

export interface CibaApprovalClientOptions {
  readonly issuer: string;
  /** The gateway's resource identifier: the audience of the approval's token. */
  readonly resource: string;
  /** The registered client's id, or the storage for the id from dynamic registration (RFC 7591). */
  readonly client:
    | { readonly id: string }
    | { readonly registrationFile: string; readonly tokenFile?: string | undefined }
    | { readonly registration: RegistrationStorage; readonly tokenFile?: string | undefined };
  /** The client's private key. The JWK's `alg` is the signature algorithm; the default is ES256. */
  readonly privateKey: JWK;
  /** The issuer's dialect. If undefined, it is detected from the issuer's metadata. */
  readonly provider?: ProviderName | undefined;
  /** `rar`: the token carries the approved details (RFC 9396). `message`: only the binding message is shown. */
  readonly details: 'rar' | 'message';
  /** The RFC 9396 types to register. */
  readonly detailsTypes?: readonly string[] | undefined;
  readonly delivery: 'poll' | 'ping';
  readonly clock?: Clock | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Timeout of all requests except polls. */
  readonly timeoutSeconds?: number | undefined;
  readonly pollTimeoutSeconds?: number | undefined;
}

/**
 * Asks for approvals with CIBA Core, as a confidential client (`private_key_jwt`). The tokens are not bound to a key
 * (RFC 9449), because only the gateway uses them, for its token exchange, and a token must stay usable after a restart.
 */
export class CibaApprovalClient implements CibaPort {
  readonly delivery: 'poll' | 'ping';
  readonly #options: CibaApprovalClientOptions;
  readonly #clock: Clock;
  readonly #connect: CibaClientFactory;

  constructor(options: CibaApprovalClientOptions) {
    const { fetch, clock, timeoutSeconds } = options;
    const access: ProviderAccess = { fetch, clock, timeoutSeconds };
    this.delivery = options.delivery;
    this.#options = options;
    this.#clock = clock ?? systemClock;
    this.#connect = createCibaClientFactory({ ...options, access, ids: clientIds(options, access) });
  }

  /**
   * Sends an approval request (CIBA Core §7.1). If the provider has forgotten the client id, registers a new client
   * and sends the request once more.
   */
  async request(question: CibaRequest): Promise<BackchannelAuthentication> {
    const { issuer, details } = this.#options;
    const client = await this.#connect();
    requireDetails(client, details);
    requireCodeEntry(client, details, question);
    try {
      return await this.#send(client, question);
    } catch (error) {
      if (!isInvalidClient(error)) throw toProviderError(classifyProviderFailure(error), REQUEST_FAILED, issuer);
      const known = await this.#connect(client.clientId);
      if (known.clientId === client.clientId) throw unknownClient(client);
      return await this.#send(known, question).catch((again: unknown) => {
        throw isInvalidClient(again)
          ? unknownClient(known)
          : toProviderError(classifyProviderFailure(again), REQUEST_FAILED, issuer);
      });
    }
  }

  async #send(client: CibaClient, question: CibaRequest): Promise<BackchannelAuthentication> {
    const { issuer, fetch, details, resource } = this.#options;
    const { initiateBackchannelAuthentication } = await import('openid-client');
    const { dialect, metadata } = client;
    const { sub, name, email } = question.asked;
    const expiresIn = Math.max(1, Math.floor(Math.min(question.expiresIn, dialect.maxApprovalTtl)));
    let sentAt = this.#clock.now();
    const answer = await retryWithProviderTime(issuer, async () => {
      const configuration = await client.configure({ fetch });
      sentAt = this.#clock.now();
      return await initiateBackchannelAuthentication(configuration, {
        scope: `openid ${question.scope}`,
        login_hint: dialect.loginHint({ sub, username: name, email }, metadata.issuer),
        binding_message: dialect.bindingMessage(question.bindingMessage),
        requested_expiry: String(expiresIn),
        ...(details === 'rar' ? { authorization_details: JSON.stringify([question.details]) } : {}),
        ...(this.delivery === 'ping' ? { client_notification_token: question.notificationToken } : {}),
        ...defined({ acr_values: question.acr }),
        ...dialect.audience(resource),
      });
    });
    return {
      authReqId: answer.auth_req_id,
      // Providers may return fractions of a second, but rows contain whole seconds.
      expiresAt: expiryTime(sentAt, answer.expires_in),
      interval: Math.ceil(answer.interval ?? DEFAULT_INTERVAL_S),
    };
  }

  /** Polls the token endpoint once (CIBA Core §10.1), and converts the response to a result. */
  async poll(
    authReqId: string,
    expected: ExpectedAnswer,
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<PollResult> {
    signal.throwIfAborted();
    let client: CibaClient;
    try {
      client = await this.#connect();
    } catch (error) {
      signal.throwIfAborted();
      // A failure to connect says nothing about the approval, which may have been given already.
      if (!isTradeAgentError(error)) throw error;
      return { status: 'unreachable', reason: error.message };
    }
    const { issuer, pollTimeoutSeconds: timeoutSeconds = POLL_TIMEOUT_S } = this.#options;
    const send = this.#options.fetch ?? fetch;
    try {
      const { genericGrantRequest } = await import('openid-client');
      const answer = await retryWithProviderTime(issuer, async () => {
        const configuration = await client.configure({
          timeoutSeconds,
          fetch: (url, init) => {
            const both = init?.signal ? AbortSignal.any([init.signal, signal]) : signal;
            const sent = send(url, { ...init, signal: both });
            // Called after sending, because the process may have stalled before, and the interval counts from the send.
            onSend?.();
            return sent;
          },
        });
        return await genericGrantRequest(configuration, CIBA_GRANT, { auth_req_id: authReqId });
      });
      return await this.#judge(client, authReqId, expected, answer);
    } catch (error) {
      signal.throwIfAborted();
      return toPollResult(classifyProviderFailure(error), this.#clock.now() >= expected.expiresAt);
    }
  }

  /** Returns the token only if the right person approved exactly the expected details. */
  async #judge(
    client: CibaClient,
    authReqId: string,
    expected: ExpectedAnswer,
    answer: TokenEndpointResponse,
  ): Promise<PollResult> {
    if (!this.#isWhatWasAsked(expected, answer.authorization_details))
      return failedPoll('authorization_details_mismatch');
    const doubt = await this.#doubtfulIdToken(client, authReqId, expected, answer.id_token);
    if (doubt !== undefined) return doubt;
    return {
      status: 'approved',
      accessToken: answer.access_token,
      expiresAt: expiryTime(this.#clock.now(), answer.expires_in ?? UNKNOWN_LIFETIME_S),
    };
  }

  /**
   * Verifies the ID token (CIBA Core §10.1.1, OpenID Connect Core §3.1.3.7). Returns undefined if the token is
   * acceptable; otherwise returns the poll result to report.
   */
  async #doubtfulIdToken(
    { metadata, clientId }: CibaClient,
    authReqId: string,
    expected: ExpectedAnswer,
    idToken: string | undefined,
  ): Promise<PollResult | undefined> {
    const { details, fetch } = this.#options;
    // An access token that carries the details is enough by itself. With `message`, only the ID token tells which
    // request is answered.
    if (idToken === undefined) return details === 'message' ? failedPoll('id_token_missing') : undefined;
    try {
      const claims = await verifyIdToken(idToken, { metadata, clientId, clock: this.#clock, fetch });
      if (claims.sub !== expected.sub) return failedPoll('approved_by_another_user');
      if (claims.authReqId !== undefined && claims.authReqId !== authReqId) return failedPoll('invalid_id_token');
      return undefined;
    } catch (error) {
      // An ID token that can't be verified now may still be valid. But the request is used up, so the person has to be
      // asked again.
      if (isTradeAgentError(error) && error.code === 'provider_unreachable') return { status: 'lost' };
      return failedPoll('invalid_id_token');
    }
  }

  /**
   * Returns whether the details in a token response match the approval request. A response without details is accepted,
   * because the gateway reads the details in the token itself.
   */
  #isWhatWasAsked({ details }: ExpectedAnswer, approved: unknown): boolean {
    if (approved === undefined) return true;
    if (!Array.isArray(approved)) return false;
    if (this.#options.details === 'message' && approved.length === 0) return true;
    const [only] = approved as unknown[];
    return approved.length === 1 && isObject(only) && differingFields(only, details).length === 0;
  }

  /** If the provider accepts outcomes, reports an outcome. Returns false if the report has to be repeated. */
  async reportOutcome(authReqId: string, outcome: Outcome): Promise<boolean> {
    try {
      const client = await this.#connect();
      const { backchannel_outcome_endpoint: endpoint } = client.metadata;
      if (typeof endpoint !== 'string' || !isSecureUrl(endpoint)) return true;
      const status = await this.#post(client, endpoint, authReqId, outcome);
      // Status 409: the person has already answered, so the question can't be withdrawn. The phone then shows the
      // proposal as blocked.
      const isLate = status === 409 && outcome.state === 'cancelled';
      const told = isLate ? await this.#post(client, endpoint, authReqId, { ...outcome, state: 'blocked' }) : status;
      return told < 500;
    } catch {
      return false;
    }
  }

  /** Sends the outcome to the provider's endpoint. @returns the HTTP status */
  async #post(client: CibaClient, endpoint: string, authReqId: string, outcome: Outcome): Promise<number> {
    const { clockSkew } = await import('openid-client');
    const { state } = outcome;
    const text = outcome.text.slice(0, MAX_TEXT_LENGTH);
    const body = new URLSearchParams({ auth_req_id: authReqId, state, text });
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    await client.authentication(
      client.metadata,
      { client_id: client.clientId, [clockSkew]: -clockSecondsAhead(this.#options.issuer) },
      body,
      headers,
    );
    const response = await (this.#options.fetch ?? fetch)(endpoint, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(OUTCOME_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status;
  }
}

function clientIds(options: CibaApprovalClientOptions, access: ProviderAccess): ClientIdSource {
  const { client } = options;
  if ('id' in client) return { current: async () => client.id };
  const place = 'registration' in client ? client.registration : createRegistrationFileStorage(client.registrationFile);
  return createRegisteredClientIdSource({ ...options, storage: place, tokenFile: client.tokenFile, access });
}

/** Converts a provider's failure to the result of the poll. @param isOver whether the request's deadline has passed */
function toPollResult(failure: ProviderFailure, isOver: boolean): PollResult {
  if (failure.kind === 'unreachable') {
    const { reason, retryAfter } = failure;
    return { status: 'unreachable', reason, ...defined({ retryAfter }) };
  }
  if (failure.kind === 'invalid') {
    // An error that OAuth does not define probably comes from a proxy or a firewall.
    return failure.status !== undefined && failure.status >= 400
      ? { status: 'unreachable', reason: failure.reason }
      : failedPoll('invalid_response');
  }
  switch (failure.error) {
    case 'authorization_pending':
      return { status: 'pending' };
    case 'slow_down':
      return { status: 'slow_down' };
    case 'access_denied':
      // Some providers (Auth0) also return this error if nobody answered; the deadline tells the two cases apart.
      return { status: isOver ? 'expired' : 'denied' };
    case 'expired_token':
      return { status: 'expired' };
    // The request was redeemed already, or it was made by a client that the provider has since forgotten.
    case 'invalid_grant':
    case 'invalid_client':
      return { status: 'lost' };
    case 'server_error':
    case 'temporarily_unavailable':
      return { status: 'unreachable', reason: `the provider returned the error ${failure.error}` };
    default:
      return failedPoll(failure.error);
  }
}

function failedPoll(error: string): PollResult {
  return { status: 'failed', error };
}

/** Rejects the approval request if no token of this provider can carry the approved details. */
function requireDetails({ dialect }: CibaClient, details: 'rar' | 'message'): void {
  if (details === 'message' || dialect.details !== 'never') return;
  throw new TradeAgentError(
    'provider_error',
    `${REQUEST_FAILED}: ${dialect.label} does not support authorization details`,
    {
      hint: 'For paper accounts set "approval: {details: message}" in gateway.yaml; for live money use another provider.',
    },
  );
}

/**
 * Rejects an approval request whose code must be typed if the provider does not support typing the code. Such a
 * provider would show the code, and accept a tap.
 */
function requireCodeEntry({ metadata }: CibaClient, sent: 'rar' | 'message', { details }: CibaRequest): void {
  if (details.code_entry === undefined) return;
  if (sent === 'rar' && metadata[CODE_ENTRY_SUPPORTED] === true) return;
  throw new TradeAgentError(
    'provider_error',
    `${REQUEST_FAILED}: its code has to be typed on the phone (number_matching_above), and the identity provider does not support that`,
    {
      hint: 'Use a home as the identity provider, or have the owner approve removing the rule: "trade-agent policy set number_matching_above=none".',
    },
  );
}

function isInvalidClient(error: unknown): boolean {
  const failure = classifyProviderFailure(error);
  return failure.kind === 'oauth' && failure.error === 'invalid_client';
}

function unknownClient({ clientId }: CibaClient): TradeAgentError {
  return new TradeAgentError(
    'provider_error',
    `${REQUEST_FAILED}: the identity provider rejected the gateway’s client ${clientId}`,
    {
      hint: 'Check approval.client_id in gateway.yaml, and that the public key of "trade-agent gateway key" is registered for it.',
      details: { error: 'invalid_client' },
    },
  );
}
