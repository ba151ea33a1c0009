import type { JWK } from 'jose';
import type { ProviderAccess } from '../../auth/provider/provider.ts';
import { secondsAhead } from '../../auth/provider/provider-clock.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import type { RegistrationPlace } from '../../store/registration-place.ts';
import type { Asking, Outcome } from '../asking-port.ts';
import { type CibaClient, type ClientIds, cibaClient } from './ciba-client.ts';
import { pollOnce } from './ciba-poll.ts';
import { sendQuestion } from './ciba-request.ts';
import { registeredIds, registrationFile } from './client-registration.ts';

const TIMEOUT_MS = 10_000;
const LONGEST_TEXT = 200;

/**
 * Tells the provider what became of a question, where it listens: a `backchannel_outcome_endpoint` in its metadata takes
 * `auth_req_id`, `state` and `text` from the client that asked. Where a withdrawal comes after the tap (409), the
 * question is past taking back: then its phone is told that nothing comes of what was approved.
 * @returns false where it was not taken in (5xx), and is to be told again
 */
async function tellOutcome(
  client: CibaClient,
  authReqId: string,
  outcome: Outcome,
  options: { readonly issuer: string; readonly fetch: typeof fetch | undefined },
): Promise<boolean> {
  const { backchannel_outcome_endpoint: endpoint } = client.metadata;
  if (typeof endpoint !== 'string' || !isSecureUrl(endpoint)) return true;
  const { clockSkew } = await import('openid-client');
  const tell = async (state: Outcome['state']): Promise<number> => {
    const text = outcome.text.slice(0, LONGEST_TEXT);
    const body = new URLSearchParams({ auth_req_id: authReqId, state, text });
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    await client.authentication(
      client.metadata,
      { client_id: client.clientId, [clockSkew]: -secondsAhead(options.issuer) },
      body,
      headers,
    );
    const response = await (options.fetch ?? fetch)(endpoint, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status;
  };
  const status = await tell(outcome.state);
  const isLate = status === 409 && outcome.state === 'cancelled';
  return (isLate ? await tell('blocked') : status) < 500;
}

/** Longer than a provider's long poll (30 s is usual), or every poll would look lost. */
const POLL_TIMEOUT_S = 40;

export interface CibaAskingOptions {
  readonly issuer: string;
  /** The gateway's resource identifier: the audience of the approval's token. */
  readonly resource: string;
  /** The client as registered, or what keeps the id it gets by registering itself (RFC 7591): a file, or another place. */
  readonly client:
    | { readonly id: string }
    | { readonly registrationFile: string; readonly tokenFile?: string | undefined }
    | { readonly registration: RegistrationPlace; readonly tokenFile?: string | undefined };
  /** Its private key. A JWK says its algorithm itself (`alg`); one without is ES256. */
  readonly privateKey: JWK;
  /** Whose dialect the issuer speaks; recognised by its metadata where nothing is said. */
  readonly provider?: ProviderName | undefined;
  /** `rar`: the token carries the approved details (RFC 9396). `message`: only the binding message is shown. */
  readonly details: 'rar' | 'message';
  /** The RFC 9396 types that are to be registered. */
  readonly detailsTypes?: readonly string[] | undefined;
  readonly delivery: 'poll' | 'ping';
  readonly clock?: Clock | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Seconds for each request that is no poll. */
  readonly timeoutSeconds?: number | undefined;
  readonly pollTimeoutSeconds?: number | undefined;
}

/**
 * Asks by CIBA Core, as a confidential client (`private_key_jwt`). Its tokens are bound to no key (RFC 9449): they go from
 * the token endpoint to the gateway, and no further than the token exchange; and they have to survive a restart.
 */
export function createCibaAsking(options: CibaAskingOptions): Asking {
  const { issuer, delivery, fetch, details } = options;
  const clock = options.clock ?? systemClock;
  const access: ProviderAccess = { fetch, clock: options.clock, timeoutSeconds: options.timeoutSeconds };
  const connect = cibaClient({ ...options, access, ids: idsOf(options, access) });

  return {
    delivery,
    request: (question) => sendQuestion(connect, question, { ...options, clock, fetch }),

    async poll(authReqId, expected, signal, onSend) {
      signal.throwIfAborted();
      let client: CibaClient;
      try {
        client = await connect();
      } catch (error) {
        signal.throwIfAborted();
        // It says nothing of the approval, which may be given already.
        if (!isTradeAgentError(error)) throw error;
        return { status: 'unreachable', reason: error.message };
      }
      return await pollOnce({
        client,
        issuer,
        authReqId,
        expected,
        details,
        clock,
        fetch,
        timeoutSeconds: options.pollTimeoutSeconds ?? POLL_TIMEOUT_S,
        signal,
        onSend,
      });
    },

    async tell(authReqId, outcome) {
      try {
        return await tellOutcome(await connect(), authReqId, outcome, { issuer, fetch });
      } catch {
        return false;
      }
    },
  };
}

function idsOf(options: CibaAskingOptions, access: ProviderAccess): ClientIds {
  const { client } = options;
  if ('id' in client) return { current: async () => client.id };
  const place = 'registration' in client ? client.registration : registrationFile(client.registrationFile);
  return registeredIds({ ...options, place, tokenFile: client.tokenFile, access });
}
