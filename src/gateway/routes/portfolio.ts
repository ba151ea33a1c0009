import type { Hono } from 'hono';
import { z } from 'zod';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { ownerAndAccountParameters, type ResolveOwner, readAccountQuery } from './for-owner.ts';
import { createGuardedRoutes, parseQuery } from './request.ts';

const historyQuery = z.strictObject({
  ...ownerAndAccountParameters,
  period: z
    .string()
    .regex(/^[1-9]\d{0,2}[DWMA]$/, 'must be a number followed by D, W, M or A, such as 1M')
    .default('1M'),
  timeframe: z.enum(['1Min', '5Min', '15Min', '1H', '1D']).optional(),
});

const activitiesQuery = z.strictObject({
  ...ownerAndAccountParameters,
  after: z
    .union([z.iso.datetime({ offset: true }), z.iso.date()])
    .transform((text) => new Date(text))
    .optional(),
  /** The `next_page` of an earlier response, for example digits, `::` and a UUID. */
  page: z
    .string()
    .regex(/^[A-Za-z0-9:_.-]{1,128}$/, 'must be the next_page of an earlier response')
    .optional(),
});

export function addPortfolioRoutes(
  app: Hono,
  authenticator: Authenticator,
  brokerFor: OpenAccountFor,
  resolveOwner: ResolveOwner,
): void {
  const at = createGuardedRoutes(app, authenticator);
  const brokerOf = async (
    caller: Caller,
    { for: owner, account }: { readonly for?: string | undefined; readonly account?: string | undefined },
  ) => brokerFor(await resolveOwner(caller, owner, 'can_view'), account);
  at.get('/v1/account', ['portfolio:read'], async (c, caller) =>
    c.json(await (await brokerOf(caller, readAccountQuery(c.req.url))).account()),
  );
  at.get('/v1/positions', ['portfolio:read'], async (c, caller) =>
    c.json({ positions: await (await brokerOf(caller, readAccountQuery(c.req.url))).positions() }),
  );
  at.get('/v1/portfolio/history', ['portfolio:read'], async (c, caller) => {
    const { period, timeframe, ...whose } = parseQuery(historyQuery, c.req.url);
    return c.json(await (await brokerOf(caller, whose)).portfolioHistory({ period, timeframe }));
  });
  at.get('/v1/activities', ['portfolio:read'], async (c, caller) => {
    const { after, page, ...whose } = parseQuery(activitiesQuery, c.req.url);
    return c.json(await (await brokerOf(caller, whose)).activities({ after, page }));
  });
}
