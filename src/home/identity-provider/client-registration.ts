import type { AllClientMetadata, Client, KoaContextWithOIDC } from 'oidc-provider';
import type { TokenVerifier } from '../../gateway/door/token-verifier.ts';
import { leadsOutside } from '../../net/public-fetch.ts';
import { RESOLVER_BUSY_S, ResolverBusy } from '../../net/public-resolver.ts';
import type { ResolveHost } from '../../net/resolve-host.ts';
import type { SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { OpenRegistrations } from '../../store/home/open-registrations.ts';
import type { RegisteredClients, RegistrationToken } from '../../store/home/registered-clients.ts';
import { ProblemError } from '../../trading/refusal.ts';
import { routes } from './protocol/protocol.ts';
import { type RequestLimits, tooMany } from './protocol/request-limits.ts';

const MOST_CLIENTS = 20;
/** Whoever may ring the phone may register a client that does. */
const NEEDED_SCOPE = 'orders:propose' satisfies (typeof SESSION_SCOPES)[number];

interface RegistrationOptions {
  readonly clients: RegisteredClients;
  readonly open: OpenRegistrations;
  readonly limits: Pick<RequestLimits, 'addressOf' | 'openRegistrations' | 'registrations'>;
  readonly verify: TokenVerifier;
  readonly isPerson: (sub: string) => boolean;
  /** Deletes a client that was stored but is not allowed. */
  readonly forget: (clientId: string) => void;
  readonly resolve: ResolveHost;
  /** The gateway's ping endpoint, which may be on this machine. */
  readonly ownPing: string;
}

type Next = () => Promise<unknown>;

/**
 * A client that asks for approvals belongs to the person who registered it (RFC 7591 §3), and may ask nobody else. Without a
 * person, only clients that can do nothing before one allows them on the consent page (`authorization/`).
 */
export function registrationGate(options: RegistrationOptions) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    if (ctx.path !== routes.registration || ctx.method !== 'POST') return void (await next());
    if (ctx.get('authorization') === '') return await registerOpenly(ctx, next, options);
    const registrar = await registrarOf(ctx, options);
    if (registrar === undefined) return;
    const { owner, spent } = registrar;
    let isKept = false;
    try {
      isKept = await registerFor(owner, ctx, next, options);
    } finally {
      if (!isKept && spent !== undefined) options.clients.giveBack(spent);
    }
  };
}

/** @returns whether the client was registered; otherwise the refusal is answered */
async function registerFor(
  owner: string,
  ctx: KoaContextWithOIDC,
  next: Next,
  options: RegistrationOptions,
): Promise<boolean> {
  const { clients, limits } = options;
  const wait = limits.registrations.take(owner);
  if (wait !== undefined) {
    tooMany(ctx, wait);
    return false;
  }
  if (clients.list(owner).length >= MOST_CLIENTS) {
    const description = `${MOST_CLIENTS} programs are let in already: remove one first`;
    answer(ctx, 403, { error: 'access_denied', error_description: description });
    return false;
  }
  await next();
  const registered = registeredBy(ctx);
  if (registered === undefined) return false;
  const { clientId, clientName = clientId } = registered;
  // Resolving the name must wait until the library has stored the client, which without an owner can ask nobody yet.
  const fault = await pingFault(registered.metadata(), options);
  if (fault === undefined) {
    clients.add({ clientId, owner, name: clientName, host: hostOf(registered.metadata()) });
    return true;
  }
  options.forget(clientId);
  if (fault instanceof ResolverBusy) tooMany(ctx, RESOLVER_BUSY_S);
  else answer(ctx, 400, { error: 'invalid_client_metadata', error_description: fault });
  return false;
}

function registeredBy(ctx: KoaContextWithOIDC): Client | undefined {
  return ctx.status === 201 ? ctx.oidc.entities.Client : undefined;
}

/** For anybody; `checkClientMetadata` says what they may register. */
async function registerOpenly(
  ctx: KoaContextWithOIDC,
  next: Next,
  { limits, open }: Pick<RegistrationOptions, 'limits' | 'open'>,
): Promise<void> {
  const address = limits.addressOf(ctx.req);
  // Refusals count as at any other endpoint.
  const wait = limits.openRegistrations.wait(address);
  if (wait !== undefined) return tooMany(ctx, wait);
  await next();
  if (ctx.status === 401) challenge(ctx);
  const registered = registeredBy(ctx);
  if (registered === undefined) return;
  limits.openRegistrations.take(address);
  open.add(registered.clientId, address);
}

/** Undefined after it has answered. */
async function registrarOf(
  ctx: KoaContextWithOIDC,
  { clients, verify, isPerson }: RegistrationOptions,
): Promise<{ readonly owner: string; readonly spent?: RegistrationToken } | undefined> {
  const authorization = ctx.get('authorization');
  const bearer = /^bearer +([A-Za-z0-9_-]{43})$/i.exec(authorization)?.[1];
  if (bearer !== undefined) {
    const spent = clients.takeToken(bearer);
    if (spent !== undefined && isPerson(spent.owner)) return { owner: spent.owner, spent };
    return unauthorized(ctx, 'the registration token is unknown, used or over');
  }
  try {
    const dpop = ctx.get('dpop');
    const caller = await verify({
      method: ctx.method,
      path: ctx.path,
      authorization,
      dpop: dpop === '' ? undefined : dpop,
    });
    if (!caller.scopes.has(NEEDED_SCOPE)) {
      answer(ctx, 403, {
        error: 'insufficient_scope',
        error_description: `the access token lacks a scope: ${NEEDED_SCOPE} needed`,
      });
      return undefined;
    }
    return { owner: caller.sub };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.status !== 401) {
      answer(ctx, error.status, { error: 'access_denied', error_description: error.message });
      return undefined;
    }
    return unauthorized(ctx, error.message);
  }
}

function unauthorized(ctx: KoaContextWithOIDC, description: string): undefined {
  answer(ctx, 401, { error: 'invalid_token', error_description: description });
  challenge(ctx);
  return undefined;
}

function challenge(ctx: KoaContextWithOIDC): void {
  ctx.set('www-authenticate', 'Bearer error="invalid_token", DPoP error="invalid_token", algs="ES256 EdDSA"');
}

function answer(
  ctx: KoaContextWithOIDC,
  status: number,
  body: { error: string; error_description: string },
): void {
  ctx.status = status;
  ctx.set('cache-control', 'no-store');
  ctx.body = body;
}

function hostOf({ backchannel_client_notification_endpoint: ping, client_uri: home }: AllClientMetadata) {
  const address = ping ?? home;
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).hostname : undefined;
}

/** Why the provider may not call the client back there: a private address would let strangers reach this network. */
async function pingFault(
  { backchannel_client_notification_endpoint: ping }: AllClientMetadata,
  { ownPing, resolve }: Pick<RegistrationOptions, 'ownPing' | 'resolve'>,
): Promise<string | ResolverBusy | undefined> {
  if (typeof ping !== 'string' || ping === ownPing) return undefined;
  if (!URL.canParse(ping)) return 'backchannel_client_notification_endpoint is no address';
  const { protocol, hostname } = new URL(ping);
  try {
    if (protocol === 'https:' && (await leadsOutside(hostname, resolve))) return undefined;
  } catch (error) {
    if (error instanceof ResolverBusy) return error;
    throw error;
  }
  return 'backchannel_client_notification_endpoint must be an https address on the open internet';
}
