import type { Configuration, DPoPHandle, ServerMetadata } from 'openid-client';
import { type Clock, systemClock } from '../trading/clock.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import { type ApprovalDetails, isMessageDetails } from '../trading/message-details.ts';
import { pollApproval } from './approval-poll.ts';
import { approvalCredentials } from './approval-registration.ts';
import type { ApprovalClient, BackchannelAuthentication } from './ciba.ts';
import { clientAuth } from './client-authentication.ts';
import type { CredentialStore } from './credential-store/credential-store.ts';
import { dpopHandle, parsePrivateJwk } from './dpop-key.ts';
import type { Home } from './home.ts';
import { endOf } from './lifetime.ts';
import { requireFreshLogin } from './live-login.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE, type ResolvedProfile } from './profile.ts';
import {
  audienceParameters,
  bindsTokens,
  clientConfiguration,
  inProviderTime,
  type ProviderAccess,
  secondsAhead,
} from './provider.ts';
import { providerError, providerFailure } from './provider-failure.ts';
import type { Person } from './providers/dialect.ts';
import { dialectOf } from './providers/dialect-of.ts';
import { parseStoredSession } from './stored-session.ts';
import { loginRequired } from './token-refresh.ts';

/** CIBA Core §7.3. */
const DEFAULT_INTERVAL_S = 5;

export interface ApprovalClientOptions {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  /** Absent: the provider's metadata is not cached on disk. */
  readonly home?: Home;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Seconds one poll may take: longer than the provider's long poll (30 is usual), or every poll would look lost. */
  readonly pollTimeoutSeconds?: number;
}

/** One registration's connection to the provider. */
export interface ApprovalConnection {
  readonly issuer: string;
  readonly clientId: string;
  readonly metadata: ServerMetadata;
  /** openid-client's view of it, with a fetch and a time-out for one request. */
  configure(request: Pick<ProviderAccess, 'fetch' | 'timeoutSeconds'>): Promise<Configuration>;
  /** Whether its tokens are bound to the session's key: it is the session that shows them to the gateway. */
  readonly bound: boolean;
  /** Makes the proofs for requests by this configuration. */
  proofs(configuration: Configuration): Promise<DPoPHandle>;
  /** The user who is signed in: only their approval counts. */
  readonly sub: string;
  readonly person: Person;
}

/** What this process asked for, to compare with what was approved. */
export interface AskedApproval {
  readonly details: ApprovalDetails;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The confidential client that asks the person on their other device (CIBA Core, poll mode, with RFC 9396 details).
 * It registers itself at first use, and once more should the provider have forgotten it.
 */
export function createApprovalClient(options: ApprovalClientOptions): ApprovalClient {
  const { profile, store } = options;
  const clock = options.clock ?? systemClock;
  const access: ProviderAccess = { fetch: options.fetch, clock: options.clock, home: options.home };
  const asked = new Map<string, AskedApproval>();
  let connection: Promise<ApprovalConnection> | undefined;

  const connect = (forgotten?: string): Promise<ApprovalConnection> => {
    if (connection === undefined || forgotten !== undefined) {
      const made = openConnection(profile, store, access, forgotten);
      connection = made;
      made.catch(() => {
        // A failed attempt is not kept: the next call tries again.
        if (connection === made) connection = undefined;
      });
    }
    return connection;
  };

  return {
    async request(details, bindingMessage, expiresIn) {
      // A message moves no money, and one sent while the sign-in was fresh says nothing of an order weeks later.
      if (!isMessageDetails(details)) await requireFreshLogin(profile, store, clock);
      const first = await connect();
      const send = (via: ApprovalConnection) =>
        requestApproval(via, access, profile, clock, details, bindingMessage, expiresIn);
      const answer = await send(first).catch(async (error: unknown) => {
        const failure = providerFailure(error);
        if (failure.kind === 'oauth' && failure.error === 'invalid_client') {
          return await send(await connect(first.clientId)).catch((again: unknown) => {
            throw providerError(
              providerFailure(again),
              'the approval could not be asked for',
              profile.issuer,
            );
          });
        }
        throw providerError(failure, 'the approval could not be asked for', profile.issuer);
      });
      asked.set(answer.authReqId, { details, expiresAt: answer.expiresAt });
      return answer;
    },

    async poll(authReqId, signal, expected, onSend) {
      signal.throwIfAborted();
      let via: ApprovalConnection;
      try {
        via = await connect();
      } catch (error) {
        // A locked store, say, is no answer of the provider's: it must not end an approval that may be given already.
        if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') throw error;
        return { status: 'unreachable', reason: error.message };
      }
      const known = asked.get(authReqId);
      const result = await pollApproval({
        via,
        authReqId,
        details: known?.details ?? expected,
        // Asked for by another process: the order's own end is the latest the request can have had.
        expiresAt: known?.expiresAt ?? (expected && Date.parse(expected.expires_at)),
        clock,
        fetch: options.fetch,
        timeoutSeconds: options.pollTimeoutSeconds ?? 40,
        signal,
        onSend,
      });
      if (!['pending', 'slow_down', 'unreachable'].includes(result.status)) asked.delete(authReqId);
      return result;
    },
  };
}

async function openConnection(
  profile: ResolvedProfile,
  store: CredentialStore,
  access: ProviderAccess,
  forgotten: string | undefined,
): Promise<ApprovalConnection> {
  const stored = await store.get(['session', 'dpop_key', 'approval_client']);
  const session = parseStoredSession(stored.session, profile);
  if (session === undefined || stored.dpop_key === undefined) throw loginRequired('you are not signed in');
  const credentials = await approvalCredentials(profile, store, access, forgotten);
  const authentication = await clientAuth(credentials);
  const client = {
    client_id: credentials.clientId,
    token_endpoint_auth_method: credentials.authentication,
  };
  const configure = (request: Pick<ProviderAccess, 'fetch' | 'timeoutSeconds'>) =>
    clientConfiguration(profile, client, authentication, { ...access, ...request });
  const metadata = (await configure({ fetch: access.fetch })).serverMetadata();
  const key = parsePrivateJwk(stored.dpop_key);
  let prover: { readonly made: number; readonly handle: DPoPHandle } | undefined;
  return {
    issuer: profile.issuer,
    clientId: credentials.clientId,
    metadata,
    configure,
    bound: bindsTokens(profile, metadata),
    async proofs(configured) {
      // One goes on being used, since it remembers the provider's nonces: without, each poll would be made twice.
      const now = secondsAhead(profile.issuer);
      if (prover?.made !== now) prover = { made: now, handle: await dpopHandle(configured, key) };
      return prover.handle;
    },
    sub: session.sub,
    person: session,
  };
}

/** The backchannel authentication request (CIBA Core §7.1). Throws what openid-client throws. */
async function requestApproval(
  via: ApprovalConnection,
  access: ProviderAccess,
  profile: ResolvedProfile,
  clock: Clock,
  details: ApprovalDetails,
  bindingMessage: string,
  expiresIn: number,
): Promise<BackchannelAuthentication> {
  const { initiateBackchannelAuthentication } = await import('openid-client');
  const dialect = dialectOf(profile);
  let sentAt = clock.now();
  const answer = await inProviderTime(profile.issuer, async () => {
    const configuration = await via.configure({ fetch: access.fetch });
    sentAt = clock.now();
    return await initiateBackchannelAuthentication(configuration, {
      scope: `openid ${isMessageDetails(details) ? MESSAGE_SCOPE : ORDER_SCOPE}`,
      login_hint: dialect.loginHint(via.person, via.metadata.issuer),
      binding_message: dialect.bindingMessage(bindingMessage),
      requested_expiry: String(Math.min(expiresIn, dialect.longestApproval)),
      authorization_details: JSON.stringify([details]),
      ...audienceParameters(profile),
    });
  });
  return {
    authReqId: answer.auth_req_id,
    // Providers may count in parts of a second, our rows in whole ones.
    expiresAt: endOf(sentAt, answer.expires_in),
    interval: Math.ceil(answer.interval ?? DEFAULT_INTERVAL_S),
  };
}
