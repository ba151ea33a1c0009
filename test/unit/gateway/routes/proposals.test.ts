import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { createAuthenticator } from '../../../../src/gateway/auth/authenticator.ts';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import { createOwnerResolver } from '../../../../src/gateway/routes/for-owner.ts';
import { addProposalRoutes } from '../../../../src/gateway/routes/proposals.ts';
import { alice, GATEWAY, type KernelWorld, kernelWorld } from '../../approval/kernel-world.ts';

/** The routes over a kernel, for a caller whose token the door has accepted. */
function routesOf(world: KernelWorld, isRevoked: () => boolean): Hono {
  const app = new Hono();
  const caller: Caller = {
    ...alice,
    scopes: new Set(['orders:propose']),
    jti: 'token-1',
    authorizationDetails: undefined,
    expiresAt: world.clock.now() + 3_600_000,
  };
  const door = createAuthenticator({
    verify: async () => caller,
    inProcessCaller: async () => undefined,
    resource: GATEWAY,
    clock: world.clock,
    log: () => undefined,
  });
  addProposalRoutes(app, door, {
    kernel: world.kernel,
    now: () => world.clock.now(),
    resolveOwner: createOwnerResolver(world.access),
    isRevoked,
    approval: { method: 'ciba' },
  });
  return app;
}

it('a proposal that arrives while its sign-in is revoked is refused, and the phone can no longer approve it', async () => {
  const world = kernelWorld();
  let isRevoked = false;
  const app = routesOf(world, () => isRevoked);
  // After the door has let the request in, and before there is a row that the revocation could withdraw.
  world.access.require = async () => {
    if (isRevoked) return;
    isRevoked = true;
    await world.kernel.revoked(alice);
  };
  const response = await world.clock.run(
    Promise.resolve(
      app.request('/v1/proposals', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'key-1' },
        body: JSON.stringify({ kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '5' } }),
      }),
    ),
  );
  expect([response.status, await response.json()]).toMatchObject([401, { code: 'token_revoked' }]);
  world.answers.push('approved');
  await world.clock.run(world.clock.sleep(60_000));
  const [proposal] = await world.kernel.list('alice', { state: 'all', limit: 10 });
  expect(proposal).toMatchObject({ state: 'cancelled', reason: { code: 'approval_cancelled' } });
  expect(world.told).toMatchObject([{ authReqId: 'auth-1', state: 'cancelled' }]);
  expect(world.book).toEqual([]);
});
