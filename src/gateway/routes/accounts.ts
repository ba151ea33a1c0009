import type { Hono } from 'hono';
import { z } from 'zod';
import { PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { accountNumberSchema } from '../../trading/order.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { AccountDirectory } from '../broker/accounts.ts';
import type { BrokerCredentials } from '../broker/broker-credentials.ts';
import { type ResolveOwner, readOwnerQuery } from './for-owner.ts';
import { createGuardedRoutes, parseQuery, readJsonBody } from './request.ts';

const choiceSchema = z.strictObject({ account: accountNumberSchema });

/**
 * Adds the routes for accounts. Only the operator's own clients can set the default account: if another client could,
 * approval requests on the phone would look as if the owner had chosen the account.
 */
export function addAccountRoutes(
  app: Hono,
  authenticator: Authenticator,
  {
    accounts,
    resolveOwner,
    ownClients,
  }: {
    readonly accounts: AccountDirectory;
    readonly resolveOwner: ResolveOwner;
    readonly ownClients: readonly string[];
  },
): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/accounts', ['portfolio:read'], async (c, caller) =>
    c.json({ accounts: await accounts.of(await resolveOwner(caller, readOwnerQuery(c.req.url), 'can_view')) }),
  );
  at.put('/v1/accounts/default', [PROPOSE_ORDERS_SCOPE], async (c, caller) => {
    if (caller.clientId === undefined || !ownClients.includes(caller.clientId)) {
      throw new HttpProblem(403, 'client_not_allowed', 'this client may not set the default account', {
        hint: 'The owner can set it with "trade-agent accounts default". Alternatively, name the account in the request.',
        challenge: {},
      });
    }
    const choice = choiceSchema.safeParse(await readJsonBody(c));
    if (!choice.success) {
      throw new HttpProblem(400, 'invalid_query', 'the account’s number is missing', { fields: ['account'] });
    }
    await accounts.choose(caller, choice.data.account);
    return c.json({ accounts: await accounts.of(caller) });
  });
}

const connectionsQuery = z.strictObject({ name: z.string().max(32).optional() });

/** Adds the route that lists and checks connections. Clients can poll the route until an account is connected. */
export function addConnectionRoutes(
  app: Hono,
  authenticator: Authenticator,
  accounts: ReadonlyMap<string, Pick<BrokerCredentials, 'isConnected'>>,
): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/connections', ['portfolio:read'], async (c, caller) => {
    const { name: wanted } = parseQuery(connectionsQuery, c.req.url);
    const chosen = [...accounts].filter(([name]) => wanted === undefined || wanted === name);
    const connections = await Promise.all(
      chosen.map(async ([name, at]) => ({ name, connected: await at.isConnected(caller) })),
    );
    return c.json({ connections });
  });
}
