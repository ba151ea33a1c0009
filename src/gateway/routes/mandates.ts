import type { Hono } from 'hono';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { Caller } from '../door/caller.ts';
import type { Door } from '../door/door.ts';
import { mandateEnded, noSuchMandate } from '../mandates/mandate-ports.ts';
import { mandateView } from '../mandates/mandate-state.ts';
import { dayBegan } from '../policy/limits.ts';

/**
 * One's own mandates. Looking needs `orders:read`; suspending and ending one what cancelling needs, since they only tighten.
 * There is no route that makes, widens or resumes one: that is a proposal, for its owner to approve.
 */
export function mandateRoutes(
  app: Hono,
  door: Door,
  options: {
    readonly mandates: MandateStore;
    readonly now: () => number;
    /** The line of the record that came with a change is to reach its file. */
    readonly noted: () => void;
  },
): void {
  const { mandates, now, noted } = options;
  const query = () => ({ since: dayBegan(now()) });
  const found = async (sub: string, id: string) => {
    const mandate = await mandates.find(sub, id, query());
    if (mandate === undefined) throw noSuchMandate();
    return mandateView(mandate, now());
  };
  const end = async ({ sub, clientId = '' }: Caller, id: string, to: 'suspended' | 'revoked') => {
    const outcome = await mandates.end({ sub, id }, to, clientId, now());
    noted();
    const mandate = await found(sub, id);
    if (outcome === 'barred') throw mandateEnded(mandate.state);
    return mandate;
  };
  app.get(
    '/v1/mandates',
    door.guard(['orders:read'], async (c, { sub }) =>
      c.json({ mandates: (await mandates.list(sub, query())).map((one) => mandateView(one, now())) }),
    ),
  );
  app.get(
    '/v1/mandates/:id',
    door.guard(['orders:read'], async (c, { sub }) => c.json(await found(sub, c.req.param('id') ?? ''))),
  );
  app.delete(
    '/v1/mandates/:id',
    door.guard(['orders:cancel'], async (c, caller) =>
      c.json(await end(caller, c.req.param('id') ?? '', 'revoked')),
    ),
  );
  app.put(
    '/v1/mandates/:id/suspension',
    door.guard(['orders:cancel'], async (c, caller) =>
      c.json(await end(caller, c.req.param('id') ?? '', 'suspended')),
    ),
  );
}
