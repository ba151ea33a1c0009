import type { Hono } from 'hono';
import { z } from 'zod';
import { WATCHLIST_SCOPE } from '../../oauth/scopes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { MAX_WATCHLIST_SYMBOLS, type Watchlist } from '../../trading/market-news.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import type { Broker } from '../broker/broker.ts';
import { accountParameter, type ResolveOwner, readAccountQuery } from './for-owner.ts';
import { requireKnownSymbols } from './market.ts';
import { createGuardedRoutes, parseQuery, readJsonBody } from './request.ts';

/** Maximum number of changes in one request. Each changed symbol is looked up at the broker. */
const MAX_CHANGES = 20;

const changeSchema = z.strictObject({
  add: z.array(symbolSchema).max(MAX_CHANGES).default([]),
  remove: z.array(symbolSchema).max(MAX_CHANGES).default([]),
});

/** Adds the routes for the watchlist. A change needs no approval, because it trades nothing and can be undone. */
export function addWatchlistRoutes(
  app: Hono,
  authenticator: Authenticator,
  brokerFor: OpenAccountFor,
  resolveOwner: ResolveOwner,
): void {
  const at = createGuardedRoutes(app, authenticator);
  const inTurn = createQueue();
  at.get('/v1/watchlist', ['portfolio:read'], async (c, caller) => {
    const { for: owner, account } = readAccountQuery(c.req.url);
    return c.json(await (await brokerFor(await resolveOwner(caller, owner, 'can_view'), account)).watchlist());
  });
  at.patch('/v1/watchlist', [WATCHLIST_SCOPE], async (c, caller) => {
    // Does not accept `for`, because delegates can't change a watchlist.
    const { account } = parseQuery(z.strictObject(accountParameter), c.req.url);
    const { add, remove } = readChange(await readJsonBody(c));
    const broker = await brokerFor(caller, account);
    // Checks only added symbols, because a removed symbol may no longer be traded.
    await requireKnownSymbols(broker, add);
    return c.json(await inTurn(`${broker.at.name} ${caller.sub}`, () => changedSymbols(broker, add, remove)));
  });
}

function readChange(body: unknown): z.output<typeof changeSchema> {
  const parsed = changeSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new HttpProblem(400, 'invalid_query', `the change is invalid: ${issue?.message}`, {
    hint: `Use add and remove, with at most ${MAX_CHANGES} symbols each.`,
    fields: [String(issue?.path[0] ?? '')].filter((name) => name !== ''),
  });
}

/** Changes the watchlist and returns it. @throws {HttpProblem} 400 `invalid_query` if the list would be too long */
async function changedSymbols(broker: Broker, add: readonly string[], remove: readonly string[]): Promise<Watchlist> {
  const before = await broker.watchlist();
  const symbols = [...new Set([...before.symbols, ...add])].filter((symbol) => !remove.includes(symbol));
  if (symbols.length > MAX_WATCHLIST_SYMBOLS && symbols.length > before.symbols.length) {
    throw new HttpProblem(400, 'invalid_query', `a watchlist has at most ${MAX_WATCHLIST_SYMBOLS} symbols`, {
      hint: 'Remove some symbols first.',
      fields: ['add'],
    });
  }
  const isSame = symbols.length === before.symbols.length && symbols.every((symbol) => before.symbols.includes(symbol));
  return isSame ? before : broker.setWatchlist(symbols);
}

/** Creates a queue that runs the changes to each list one after another, so that they don't overwrite each other. */
function createQueue(): <T>(of: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (of, work) => {
    const mine = (last.get(of) ?? Promise.resolve()).then(work, work);
    last.set(of, mine);
    try {
      return await mine;
    } finally {
      if (last.get(of) === mine) last.delete(of);
    }
  };
}
