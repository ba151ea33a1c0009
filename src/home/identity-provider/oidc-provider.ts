import type { JWK, JWTVerifyGetKey } from 'jose';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { TokenVerifier } from '../../gateway/door/token-verifier.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { JWT_BEARER_GRANT, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { approvalCode } from '../../trading/approval-details.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { readSubject } from './approval-subject.ts';
import type { AuthorizedClients } from './authorization/authorized-clients.ts';
import type { OpenRegistrations } from './authorization/open-registrations.ts';
import { oneLineName } from './authorization/public-client.ts';
import { registrationGate } from './client-registration.ts';
import { ownPingEndpoint } from './clients.ts';
import type { Company } from './companies/company.ts';
import { companyGrantParameters, createCompanyGrant } from './companies/company-grant.ts';
import type { RedeemedAssertions } from './companies/redeemed-assertions.ts';
import { completeAnswers } from './complete-answers.ts';
import { tokenExchangeParameters } from './exchange-parameters.ts';
import type { Handler } from './front-door.ts';
import type { Grants } from './grants.ts';
import type { IdentityProviderOptions } from './identity-provider-options.ts';
import type { IssuedTokens } from './issued-tokens.ts';
import { limitProtocol } from './limit-requests.ts';
import { oidcConfiguration } from './oidc-configuration.ts';
import type { OidcStore } from './oidc-store.ts';
import { type OutgoingRequests, outgoingRequests } from './outgoing-requests.ts';
import type { ProviderKeys } from './provider-keys.ts';
import type { RegisteredClients } from './registered-clients.ts';
import { isRequestFault } from './request-fault.ts';
import type { RequestLimits } from './request-limits.ts';
import type { AgentServer } from './servers/agent-server.ts';
import type { CompanyStanding } from './signals/company-standing.ts';
import { createTokenExchange } from './token-exchange.ts';

export interface ProtocolParts
  extends Pick<
    IdentityProviderOptions,
    | 'clientKeys'
    | 'documents'
    | 'faults'
    | 'fetch'
    | 'gatewayClient'
    | 'issuer'
    | 'knownClients'
    | 'people'
    | 'publicFetch'
    | 'resolve'
    | 'resource'
    | 'vault'
  > {
  readonly keys: ProviderKeys;
  readonly requests: ApprovalRequests;
  readonly clients: RegisteredClients;
  readonly authorized: Pick<AuthorizedClients, 'find' | 'used'>;
  readonly openRegistrations: OpenRegistrations;
  readonly limits: RequestLimits;
  readonly store: OidcStore;
  readonly now: () => number;
  readonly grants: Pick<Grants, 'liveGrant' | 'noteDevice' | 'replaced'>;
  readonly servers: readonly AgentServer[];
  readonly companies: readonly Company[];
  readonly redeemed: RedeemedAssertions;
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly standing: Pick<CompanyStanding, 'refusal'>;
  /** For tokens of the login client's sessions. */
  readonly verifySession: TokenVerifier;
  readonly onError: (message: string) => void;
  readonly issued: Pick<IssuedTokens, 'note'>;
  /** A request is on somebody's phone. */
  readonly onAsked: () => void;
}

/** The protocol's endpoints, and what is behind them. */
export interface Protocol {
  readonly provider: () => Provider;
  readonly handle: Handler;
}

/**
 * The library's provider, opened anew whenever its keys are others: it takes them once, when it is made. All that it
 * knows is in its store, so that whatever one has begun the next goes on with.
 */
export function createProtocol(parts: ProtocolParts): Protocol {
  const replayed: { jti?: unknown } = {};
  const outgoing = outgoingRequests(parts);
  let opened: { version: string; provider: Provider; handle: ReturnType<Provider['callback']> } | undefined;
  const current = () => {
    const { version, keys } = parts.keys.signing.current();
    if (opened?.version === version) return opened;
    const provider = openProvider(parts, outgoing, keys, replayed);
    opened = { version, provider, handle: provider.callback() };
    return opened;
  };
  return {
    provider: () => current().provider,
    handle: (request, response) => current().handle(request, response),
  };
}

/** @param replayed the last approval's `jti`, for the fault that gives it to the next one too */
function openProvider(
  parts: ProtocolParts,
  outgoing: OutgoingRequests,
  keys: readonly JWK[],
  replayed: { jti?: unknown },
): Provider {
  const { issuer, resource, faults, requests, clients, now, onError } = parts;
  const provider = new Provider(
    issuer,
    oidcConfiguration({
      ...parts,
      signingKeys: keys,
      cookieKey: parts.keys.cookie,
      askPerson: async (_ctx, request, account, client) => {
        const { details } = readSubject(request.params?.authorization_details, { resource, now: now() });
        const saved = await provider.BackchannelAuthenticationRequest.find(request.jti);
        if (saved?.exp === undefined) throw new Error('the request was not kept');
        const message = request.params?.binding_message;
        requests.add({
          authReqId: request.jti,
          user: account.accountId,
          clientId: client.clientId,
          clientName: client.clientName ?? client.clientId,
          clientNote: clients.note(client.clientId),
          code: 'code' in details ? details.code : approvalCode(details.digest),
          bindingMessage: typeof message === 'string' ? message : undefined,
          details,
          expiresAt: saved.exp * 1000,
        });
        parts.onAsked();
        failpoint('idp.asked');
      },
      onAccessToken: (payload) => {
        if (payload.authorization_details === undefined) return;
        if (replayed.jti !== undefined && faults.take('replayed_approval')) payload.jti = replayed.jti;
        replayed.jti = payload.jti;
      },
      nameOf: (grantId) => {
        const client = parts.authorized.find(grantId);
        return client === undefined ? undefined : oneLineName(client);
      },
      ownerOf: (clientId) => clients.find(clientId)?.owner,
      fetch: outgoing.fetch,
      clientDocuments: outgoing.documents,
    }),
  );
  // The address that it goes by is the issuer's, whatever stands between it and its callers: see `asPublic` of identity-provider.ts.
  provider.proxy = true;
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  // Koa's own event, which the provider's types leave out; without a listener Koa prints whole stacks.
  const koa: NodeJS.EventEmitter = provider;
  koa.on('error', (error: Error, ctx?: KoaContextWithOIDC) => {
    if (!isRequestFault(error, ctx?.req)) onError(error.message);
  });
  provider.on('access_token.issued', (token) => {
    if (token.grantId === undefined) return;
    parts.authorized.used(token.grantId);
    parts.issued.note({ jti: token.jti, grantId: token.grantId, expiresAt: now() + token.expiration * 1000 });
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createTokenExchange({
      issuer,
      resource,
      gatewayClientId: parts.gatewayClient.client_id,
      verificationKey: parts.keys.signing.verificationKey,
      vault: parts.vault,
      servers: parts.servers,
      grants: parts.grants,
      now,
    }),
    tokenExchangeParameters,
  );
  if (parts.companies.length > 0) {
    const grant = createCompanyGrant({
      ...{ issuer, resource, now, onRefused: onError },
      ...{ companies: parts.companies, people: parts.people, redeemed: parts.redeemed },
      ...{ companyKeyOf: parts.companyKeyOf, standing: parts.standing },
    });
    provider.registerGrantType(JWT_BEARER_GRANT, grant, companyGrantParameters);
  }

  provider.use(
    limitProtocol(
      parts.limits,
      [parts.gatewayClient, ...parts.servers].map(({ client_id }) => client_id),
    ),
  );
  provider.use(
    registrationGate({
      limits: parts.limits,
      clients,
      open: parts.openRegistrations,
      verify: parts.verifySession,
      isPerson: (sub) => parts.people.find(sub) !== undefined,
      forget: parts.store.forgetClient,
      resolve: outgoing.resolvePing,
      ownPing: ownPingEndpoint(resource),
    }),
  );
  completeAnswers(provider, { issuer, faults, companies: parts.companies });
  return provider;
}
