import { type JWTPayload, type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { errors, type Grant, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE } from '../../../oauth/oauth-names.ts';
import { SESSION_SCOPES } from '../../../oauth/scopes.ts';
import type { Grants } from '../grants.ts';
import {
  ACCESS_TOKEN_LIFETIME_S,
  type ExchangeParameters,
  jwtResourceServer,
  LOGIN_CLIENT_ID,
} from '../protocol/protocol.ts';
import { setGrantEnd } from '../signed-grants.ts';
import { type AgentServer, serverDisplayName } from './agent-server.ts';

const EXCHANGED_GRANT_TYPE = 'token_exchange';

export type SignInGrants = Pick<Grants, 'liveGrant' | 'noteDevice' | 'replaced'>;

export interface ServerExchangeOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly verificationKey: JWTVerifyGetKey;
  readonly now: () => number;
  readonly grants: SignInGrants;
}

type Context = TokenEndpointGrantContext<ExchangeParameters>;

interface Subject {
  readonly sub: string;
  readonly signIn: Grant;
  readonly scopes: readonly string[];
  readonly authTime: number | undefined;
}

/**
 * Implements token exchange (RFC 8693): a server presents the access token with which a person's client called it, and
 * gets a token for the gateway, or a grant to act while the person is away. Threats and defenses:
 *
 * 1. A token for another server or for the gateway is rejected: its audience must be the presenting server's address.
 * 2. An exchanged token belongs to the sign-in's grant: it requires that grant, and ends with it or earlier.
 * 3. Access never widens: grants only scopes that the presented token has and that the person allowed.
 * 4. An exchanged token can't be exchanged again: its audience is the gateway, and a token with an actor is rejected.
 * 5. A stolen token is useless: access and refresh tokens are bound to the server's key.
 */
export function createServerExchange(options: ServerExchangeOptions) {
  return async (ctx: Context, server: AgentServer): Promise<void> => {
    const { provider, client, params } = ctx.oidc;
    requireGatewayTarget(params, options.resource);
    const proof = await validateDpop(provider, ctx);
    if (proof === undefined) throw new errors.InvalidDpopProof('a DPoP proof is required');
    const subject = await subjectOf(ctx, server);
    const scope = grantedScopes(params.scope, subject, server).join(' ');
    await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
    const isOffline = params.requested_token_type === REFRESH_TOKEN_TYPE;
    const grant = isOffline ? await ownGrant(ctx, server, { subject, scope }) : subject.signIn;

    const token = new provider.AccessToken({
      client,
      accountId: subject.sub,
      grantId: grant.jti,
      gty: EXCHANGED_GRANT_TYPE,
      scope,
      expiresIn: Math.min(ACCESS_TOKEN_LIFETIME_S, secondsLeft(grant, options.now())),
      resourceServer: new provider.ResourceServer(
        options.resource,
        jwtResourceServer(options.resource, SESSION_SCOPES),
      ),
    });
    token.setThumbprint('jkt', proof.thumbprint);
    ctx.oidc.entity('AccessToken', token);
    const accessToken = await token.save();
    const refreshToken = isOffline
      ? await new provider.RefreshToken({
          client,
          accountId: subject.sub,
          grantId: grant.jti,
          gty: EXCHANGED_GRANT_TYPE,
          scope,
          resource: options.resource,
          authTime: subject.authTime,
          jkt: proof.thumbprint,
        }).save()
      : undefined;
    ctx.body = buildTokenResponse(provider, {
      accessToken,
      issuedTokenType: ACCESS_TOKEN_TYPE,
      tokenType: token.tokenType,
      expiresIn: token.expiration,
      scope,
      // Allows access after the subject token has expired (RFC 8693 §2.2.1).
      refreshToken,
    });
  };

  async function subjectOf(ctx: Context, server: AgentServer): Promise<Subject> {
    const { provider, params } = ctx.oidc;
    const { address } = server;
    const payload = await verifySubjectToken(params.subject_token, options, {
      audience: [address],
      claims: ['cnf'],
    });
    const { sub, jti, aud, scope, client_id, act, auth_time } = payload;
    if (aud !== address) throw invalidSubjectTokenError('is for more than one audience');
    if (act !== undefined) throw invalidSubjectTokenError('was itself exchanged');
    if (client_id !== LOGIN_CLIENT_ID)
      throw invalidSubjectTokenError('is not from the client that people sign in with');
    const grantId = await options.grants.liveGrant(jti);
    const signIn = grantId === undefined ? undefined : await provider.Grant.find(grantId);
    if (signIn?.accountId !== sub || signIn.isExpired) throw invalidSubjectTokenError('was revoked');
    return {
      sub,
      signIn,
      scopes: typeof scope === 'string' ? scope.split(' ') : [],
      authTime: typeof auth_time === 'number' ? auth_time : undefined,
    };
  }

  /** Creates the grant with which a server acts while the person is away. Replaces the server's earlier grant. */
  async function ownGrant(
    ctx: Context,
    server: AgentServer,
    { subject: { sub, signIn }, scope }: { readonly subject: Subject; readonly scope: string },
  ): Promise<Grant> {
    if (!signIn.getOIDCScope().split(' ').includes('offline_access')) {
      throw new errors.InvalidScope('the person did not allow offline access', 'offline_access');
    }
    const { provider, client } = ctx.oidc;
    await options.grants.replaced({ sub, clientId: client.clientId });
    const grant = new provider.Grant({ clientId: client.clientId, accountId: sub });
    grant.addResourceScope(options.resource, scope);
    // The person's signature allows offline access only until the sign-in ends.
    if (signIn.exp !== undefined) setGrantEnd(grant, new Date(signIn.exp * 1000).toISOString(), options.now());
    const grantId = await grant.save();
    await options.grants.noteDevice(grantId, {
      user: sub,
      clientName: `${serverDisplayName(server)}, while you’re away`,
      deviceName: undefined,
    });
    return grant;
  }
}

/** Checks that the target is the gateway (RFC 8693 §2.1 `resource`, `audience`). @throws `invalid_target` */
function requireGatewayTarget({ resource, audience }: ExchangeParameters, gateway: string): void {
  for (const asked of [resource, audience]) {
    if (asked !== undefined && asked !== gateway) {
      throw new errors.InvalidTarget('the only resource here is the order gateway');
    }
  }
}

/** Returns the granted scopes. @throws `invalid_scope` if the subject token lacks a requested scope, or has no scope */
function grantedScopes(asked: string | undefined, { scopes, signIn }: Subject, { address }: AgentServer): string[] {
  const allowed = signIn.getResourceScopeFiltered(address, new Set(scopes)).split(' ').filter(Boolean);
  const wanted = asked?.split(' ').filter(Boolean) ?? allowed;
  const wider = wanted.filter((scope) => !allowed.includes(scope));
  if (wider.length > 0) throw new errors.InvalidScope('the subject token lacks this scope', wider.join(' '));
  if (wanted.length === 0) throw new errors.InvalidScope('the subject token has no scope', '');
  return wanted;
}

/** Verifies a token that this home issued for one of the audiences. @throws `invalid_request` */
export async function verifySubjectToken(
  token: unknown,
  { issuer, verificationKey, now }: Pick<ServerExchangeOptions, 'issuer' | 'verificationKey' | 'now'>,
  { audience, claims = [] }: { readonly audience: string[]; readonly claims?: string[] },
): Promise<JWTPayload & { readonly sub: string; readonly jti: string }> {
  if (typeof token !== 'string' || token === '') throw invalidSubjectTokenError('is missing');
  const { payload } = await jwtVerify(token, verificationKey, {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', ...claims],
    currentDate: new Date(now()),
  }).catch((error: unknown) => {
    // The library's messages contain names of claims but never their values.
    throw error instanceof joseErrors.JOSEError ? invalidSubjectTokenError(`is not valid: ${error.message}`) : error;
  });
  const { sub, jti } = payload;
  if (sub === undefined || jti === undefined) throw invalidSubjectTokenError('lacks a claim');
  return { ...payload, sub, jti };
}

export const invalidSubjectTokenError = (reason: string) => new errors.InvalidRequest(`subject_token ${reason}`);

function secondsLeft({ exp }: Grant, now: number): number {
  return exp === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(exp - now / 1000));
}
