import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Hono } from 'hono';
import type { JSONWebKeySet } from 'jose';
import Provider from 'oidc-provider';
import type { Keys } from '../../approval/keys/keys.ts';
import {
  createTokenVerifier,
  type IsRevoked,
  type TokenVerifier,
} from '../../gateway/door/token-verifier.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { ResolveHost } from '../../net/public-address.ts';
import { sqliteProofStore } from '../../store/sqlite/proof-store.ts';
import type { Faults } from '../faults.ts';
import { createPhoneApp } from '../phone/phone-app.ts';
import type { HomeAbout, PhoneServices } from '../phone/phone-services.ts';
import { createApprovalRequests } from './approval-requests.ts';
import { createConnectedAccounts } from './connected-accounts.ts';
import { createConnectionRequests } from './connection-requests.ts';
import { createDelivery, type Delivery } from './deliver-decision.ts';
import { createDeviceCodes } from './device-codes.ts';
import { frontDoor, type Handler } from './front-door.ts';
import { createGrants, type Grants, type Revoked } from './grants.ts';
import { createIssuedTokens } from './issued-tokens.ts';
import { holdPoll } from './long-poll.ts';
import { createProtocol } from './oidc-provider.ts';
import { createOidcStore } from './oidc-store.ts';
import { createOutcomeEndpoint } from './outcome-endpoint.ts';
import type { People } from './people.ts';
import { connectedAccountsUrl, LOGIN_CLIENT_ID } from './protocol.ts';
import { loadProviderKeys, type ProviderKeys } from './provider-keys.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import type { RefreshTokenReuse } from './refresh-token-reuse.ts';
import { createRegisteredClients } from './registered-clients.ts';
import { createRequestLimits } from './request-limits.ts';
import { createSessions } from './sessions.ts';
import type { Vault } from './vault.ts';

export interface IdentityProviderOptions {
  /** Its own address on loopback, already listening: `http://127.0.0.1:4747`. */
  readonly issuer: string;
  readonly database: Database;
  /** The gateway's resource indicator: the audience of access tokens. */
  readonly resource: string;
  readonly people: People;
  /** What people approve and sign in with. */
  readonly signingKeys: Keys;
  /** What the pages say of the home they belong to. */
  readonly about: HomeAbout;
  /** Authenticates the terminal phone. */
  readonly phonePairingSecret: string;
  /** The one client that may exchange tokens (private_key_jwt). */
  readonly gatewayClient: { readonly client_id: string; readonly jwks: JSONWebKeySet };
  readonly vault: Vault;
  /** By user name: lets the terminal phone stand in for their browser where an account is to be connected. */
  readonly thirdPartyPasswords?: Readonly<Record<string, string>>;
  readonly faults: Faults;
  /** Must tell the system's time: oidc-provider reads that by itself. Its `sleep` is what long polls wait on. */
  readonly clock?: Clock;
  /** Sends CIBA pings to the gateway, which may be on this machine. */
  readonly fetch?: typeof fetch;
  /** Sends those to other clients; what is used unless said otherwise reaches nothing on this machine or its network. */
  readonly publicFetch?: typeof fetch;
  /** Behind a proxy: whose request it is. Who is at the other end of the connection, unless said otherwise. */
  readonly clientAddress?: (request: IncomingMessage) => string;
  /** Finds the addresses of other clients' hosts. */
  readonly resolve?: ResolveHost;
  /** Whether a refresh token whose answer was lost may be used again; `never` unless said otherwise. */
  readonly refreshTokenReuse?: RefreshTokenReuse;
  /** Told when somebody may no longer do what they could, after it is so: what was begun by it is to end, too. */
  readonly onRevoked?: (who: Revoked) => Promise<void>;
  /** Told of what went wrong inside; never holds a token. */
  readonly onError?: (message: string) => void;
}

export interface IdentityProvider {
  readonly callback: (request: IncomingMessage, response: ServerResponse) => void;
  /** Whether an access token was not issued here, or what it was issued under has ended. */
  readonly isRevoked: IsRevoked;
  /** Ends whatever acts for a person who was removed: sessions, grants, tokens, clients, questions. */
  endPerson(sub: string): Promise<void>;
  /** How many polls the token endpoint is holding for a CIBA request. */
  readonly heldPolls: (authReqId: string) => number;
  /** Ends what waits (long polls, event streams); the database stays open. */
  close(): Promise<void>;
}

/** How often it is looked whether a key is due: a day before it signs is when it must be seen. */
const KEYS_LOOKED_AT_MS = 3_600_000;

/** A home's OpenID provider: device flow, CIBA with RAR, DPoP, dynamic registration, token exchange; and the phone. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, people, resource, vault } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');

  const keys = loadProviderKeys(database, now);
  const requests = createApprovalRequests(database, clock);
  const issued = createIssuedTokens(database, now);
  const clients = createRegisteredClients(database, now);
  const sessions = createSessions({ database, people, formKey: keys.cookie, clock });
  const limits = createRequestLimits({ clock, clientAddress: options.clientAddress });
  const store = createOidcStore({
    database,
    now,
    refreshTokenReuse: options.refreshTokenReuse,
    onGrantEnded: (granted) => grants.ended(granted),
    beforeBackchannelRequest: (id, payload) =>
      holdPoll(id, payload, { context: Provider.ctx, requests, faults, clock, closing: closing.signal }),
  });

  const grants: Grants = createGrants({
    database,
    store,
    issued,
    clients,
    requests,
    people,
    deliver: () => delivery.all(),
    onRevoked: options.onRevoked ?? (async () => {}),
    now,
  });
  const isRevoked = (jti: string) => !grants.isLive(jti);
  const { provider, handle: protocol } = createProtocol({
    ...options,
    keys,
    requests,
    clients,
    limits,
    store,
    now,
    isLive: grants.isLive,
    verifySession: sessionTokens(options, { keys, clock, isRevoked }),
    onError,
    onIssued: issued.note,
    // One that gave way to the new one is told so; if that fails, the next start does it.
    onAsked: () => void delivery.all().catch((error: Error) => onError(error.message)),
  });

  const delivery = createDelivery({ provider, requests, resource, faults });
  await delivery.all();
  const looking = setInterval(provider, KEYS_LOOKED_AT_MS).unref();

  const connections = createConnectionRequests({ database, vault, clock });
  const connectedAccounts = serve(
    createConnectedAccounts({
      issuer,
      vault,
      requests: connections,
      verify: ownTokens(options, { keys, clock, isRevoked }),
      limits,
      now,
    }),
  );
  const phone = serve(
    phoneApp(options, {
      sessions,
      requests,
      clients,
      limits,
      connections,
      deviceCodes: createDeviceCodes({ provider, issuer, resource, grants, now }),
      grants,
      clock,
      closing: closing.signal,
      delivery,
    }),
  );
  const handle = frontDoor({
    issuer,
    faults,
    clock,
    closing: closing.signal,
    protocol: asPublic(issuer, protocol),
    phone,
    connectedAccounts,
    outcomes: serve(createOutcomeEndpoint({ provider, limits, requests, deliver: delivery.one, now })),
  });
  return {
    callback: (request, response) => {
      handle(request, response).catch((error: unknown) => {
        onError(error instanceof Error ? error.message : 'unknown error');
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
    isRevoked,
    endPerson: async (sub) => {
      sessions.endAll(sub);
      await grants.endPerson(sub);
    },
    heldPolls: requests.waiting,
    close: async () => {
      clearInterval(looking);
      closing.abort();
    },
  };
}

/** The person's side: who is signed in, what waits for them, and what they say to it. */
function phoneApp(
  options: IdentityProviderOptions,
  parts: Pick<
    PhoneServices,
    | 'clients'
    | 'grants'
    | 'limits'
    | 'requests'
    | 'sessions'
    | 'connections'
    | 'deviceCodes'
    | 'clock'
    | 'closing'
  > & {
    readonly delivery: Delivery;
  },
): Hono<{ Bindings: HttpBindings }> {
  const { about, database, issuer, people } = options;
  const { clock, delivery, requests } = parts;
  return createPhoneApp({
    ...parts,
    issuer,
    about,
    people,
    keys: options.signingKeys,
    recovery: createRecoveryCodes({ database, people, clock }),
    thirdPartyPasswords: options.thirdPartyPasswords ?? {},
    pairingSecret: options.phonePairingSecret,
    decide: async (id, decision, user) => {
      const result = requests.decide(id, decision, user);
      failpoint('idp.decided');
      await delivery.one(id);
      return result;
    },
  });
}

interface VerifierParts {
  readonly keys: ProviderKeys;
  readonly clock: Clock;
  readonly isRevoked: IsRevoked;
}

/** Tokens that this provider itself has issued, for people's accounts elsewhere. */
function ownTokens({ issuer, database }: IdentityProviderOptions, parts: VerifierParts): TokenVerifier {
  const { keys, clock, isRevoked } = parts;
  return createTokenVerifier({
    provider: {
      metadata: async () => ({ issuer }),
      key: keys.signing.verificationKey,
    },
    resource: connectedAccountsUrl(issuer),
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
  });
}

/** Tokens of people's own sessions, as the gateway takes them. */
function sessionTokens(
  { issuer, resource, database }: IdentityProviderOptions,
  { keys, clock, isRevoked }: VerifierParts,
): TokenVerifier {
  return createTokenVerifier({
    provider: { metadata: async () => ({ issuer }), key: keys.signing.verificationKey },
    resource,
    base: issuer,
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
    requireBoundTokens: true,
    allowedClients: [LOGIN_CLIENT_ID],
  });
}

/** The library builds its endpoints' addresses from the request: they are the public ones, behind TLS or a proxy too. */
function asPublic(issuer: string, handle: Handler): Handler {
  const { host, protocol } = new URL(issuer);
  return (request, response) => {
    Object.assign(request.headers, {
      'x-forwarded-host': host,
      'x-forwarded-proto': protocol.slice(0, -1),
      'x-forwarded-for': request.socket.remoteAddress ?? '',
    });
    return handle(request, response);
  };
}

function serve({ fetch }: Pick<Hono<{ Bindings: HttpBindings }>, 'fetch'>): Handler {
  return getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
  });
}
