import type { Clock } from '../machine/clock.ts';
import { Refusal } from '../trading/refusal.ts';
import { createDoor } from './door/door.ts';
import type { IdentityProvider } from './door/identity-provider.ts';
import { createTokenVerifier, requireUnrevoked, type TokenVerifier } from './door/token-verifier.ts';
import type { GatewayOptions } from './gateway-options.ts';
import type { Mount } from './mounts/mount.ts';
import { audienceOf, createActing, metadataPathOf } from './mounts/mounted-routes.ts';

export type Entrance = ReturnType<typeof createEntrance>;

/** All entry points. Once shut, they admit nobody. */
export function createEntrance(options: GatewayOptions, provider: IdentityProvider, clock: Clock) {
  const {
    resource,
    stores,
    log = () => {},
    allowedClients,
    ownClients = [],
    mounts = [],
    isRevoked,
  } = options;
  const rules = {
    provider,
    base: resource,
    isRevoked,
    proofs: stores.proofs,
    clock,
    allowedClients: allowedClients && [...allowedClients, ...ownClients],
  };
  const acting = createActing();
  let closed = false;
  const requireOpen = () => {
    if (closed) throw new Refusal(503, 'closing', 'the gateway is shutting down', { retryAfter: 5 });
  };
  const whileOpen =
    (verify: TokenVerifier): TokenVerifier =>
    (credentials) => {
      requireOpen();
      return verify(credentials);
    };
  const audiences = [resource, ...mounts.map((mount) => audienceOf(resource, mount))];
  const others = (audience: string) => audiences.filter((one) => one !== audience);
  return {
    /** For `/v1`. */
    door: createDoor({
      verify: whileOpen(
        createTokenVerifier({
          ...rules,
          resource,
          requireBoundTokens: options.requireBoundTokens,
          otherAudiences: others(resource),
        }),
      ),
      async actingFor(request) {
        const caller = acting.callerOf(request);
        if (caller === undefined) return undefined;
        requireOpen();
        // The token of the other door must still be valid.
        await requireUnrevoked(caller, isRevoked);
        if (caller.expiresAt > clock.now()) return caller;
        throw new Refusal(401, 'token_expired', 'the access token has expired', {
          hint: 'Refresh it.',
          challenge: { error: 'invalid_token' },
        });
      },
      resource,
      clock,
      log,
    }),
    /** For a mount, with tokens of its own audience. */
    doorOf(mount: Mount) {
      const audience = audienceOf(resource, mount);
      return createDoor({
        verify: whileOpen(
          createTokenVerifier({
            ...rules,
            resource: audience,
            otherAudiences: others(audience),
            requireBoundTokens: mount.requireBoundTokens,
          }),
        ),
        actingFor: async () => undefined,
        resource,
        metadataPath: metadataPathOf(mount),
        challengeScopes: Object.keys(mount.scopes),
        clock,
        log,
      });
    },
    /** By which a mount acts for its caller. */
    acting,
    shut: () => {
      closed = true;
    },
    isShut: () => closed,
  };
}
