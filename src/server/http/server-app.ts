import { Hono } from 'hono';
import { z } from 'zod';
import { OPENAPI_PATH, pruneThreadsSchema, reconcileSchema } from '../../agent/remote/protocol.ts';
import { createDoor, type Door, type RequestLog } from '../../gateway/door/door.ts';
import { createIdentityProvider } from '../../gateway/door/identity-provider.ts';
import { METADATA_PATH, protectedResourceMetadata } from '../../gateway/door/protected-resource-metadata.ts';
import { createTokenVerifier } from '../../gateway/door/token-verifier.ts';
import { healthRoutes } from '../../gateway/routes/health.ts';
import { parseQuery } from '../../gateway/routes/request.ts';
import { PROPOSE_ORDERS } from '../../oauth/scopes.ts';
import { postgresProofStore } from '../../store/postgres/proof-store.ts';
import type { Environment } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import { createPersonWatch } from '../person-watch.ts';
import type { ServerParts } from '../server-parts.ts';
import { openApiDocument } from './openapi.ts';
import { asked, bodyOf, readingRoutes } from './person-requests.ts';
import { MOST_STREAMS, runEventRoutes, runRoutes } from './run-routes.ts';

const PROVIDER_TIMEOUT_MS = 10_000;

export interface ServerAppOptions extends ServerParts {
  /** The server's public address: its resource identifier (RFC 8707), and the `aud` of its tokens. */
  readonly address: string;
  readonly issuer: string;
  /** The public client for people's sign-ins, if not that of every home. */
  readonly loginClient?: string | undefined;
  readonly environment: Environment;
  /** The program's version, for the OpenAPI document. */
  readonly version: string;
  readonly log: RequestLog;
  readonly routes?: readonly ((app: Hono, door: Door, parts: ServerParts) => void)[];
}

export interface ServerApp {
  readonly app: Hono;
  /** Refuses new requests, and ends streams. */
  close(): Promise<void>;
}

/** The API of people's laptops; `agent/remote/protocol.ts` has every request. */
export function createServerApp(options: ServerAppOptions): ServerApp {
  const { address, issuer, clock, database, log } = options;
  const closing = new AbortController();
  const requireOpen = () => {
    if (closing.signal.aborted)
      throw new Refusal(503, 'closing', 'the server is shutting down', { retryAfter: 5 });
  };
  const verify = createTokenVerifier({
    provider: createIdentityProvider({
      issuer,
      fetch: options.fetch,
      timeoutMs: PROVIDER_TIMEOUT_MS,
      clock,
    }),
    resource: address,
    proofs: postgresProofStore(database, 'server_dpop_proofs'),
    clock,
    requireBoundTokens: true,
  });
  const door = createDoor({
    verify: async (credentials) => {
      requireOpen();
      return await verify(credentials);
    },
    actingFor: async () => undefined,
    resource: address,
    called: 'server',
    mostStreams: MOST_STREAMS,
    internalHint: 'Try again; with the same Idempotency-Key nothing is done twice.',
    clock,
    log,
  });
  const watch = createPersonWatch(options);
  const app = new Hono();
  runRoutes(app, door, options);
  runEventRoutes(app, door, { ...options, watch, closing: closing.signal });
  threadRoutes(app, door, options);
  approvalRoutes(app, door, options);
  for (const more of options.routes ?? []) more(app, door, options);
  healthRoutes(app, door, {
    askStore: () => database.read((unit) => unit.one('SELECT 1 AS one')),
    isShut: () => closing.signal.aborted,
  });
  const { loginClient, environment } = options;
  // RFC 9728 §2 allows additional members.
  const metadata = {
    ...protectedResourceMetadata({
      resource: address,
      issuer,
      detailsTypes: [],
      requireBoundTokens: true,
      name: 'trade-agent server',
    }),
    ...defined({ trade_agent_login_client: loginClient }),
    trade_agent_environment: environment,
  };
  app.get(
    METADATA_PATH,
    door.open((c) => c.json(metadata)),
  );
  let document: ReturnType<typeof openApiDocument> | undefined;
  app.get(
    OPENAPI_PATH,
    door.open((c) => {
      document ??= openApiDocument(address, options.version);
      return c.json(document);
    }),
  );
  app.notFound(
    door.open(() => {
      throw new Refusal(404, 'not_found', 'there is nothing at this address');
    }),
  );
  return {
    app,
    async close() {
      closing.abort();
      await watch.close();
    },
  };
}

const threadsQuery = z.strictObject({
  as_kept: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

function threadRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const routes = readingRoutes(app, door);
  routes.get('/v1/agent/threads', async (c, caller) => {
    const { as_kept: asKept } = parseQuery(threadsQuery, c.req.url);
    return c.json({ threads: await asked(parts, caller, (agent) => agent.threads({ asKept })) });
  });
  routes.post('/v1/agent/threads/prune', async (c, caller) => {
    const { older_than: olderThan, keep, dry_run: dryRun = false } = await bodyOf(c, pruneThreadsSchema);
    const deleted = await asked(parts, caller, (agent) => agent.pruneThreads({ olderThan, keep, dryRun }));
    return c.json({ deleted });
  });
  routes.get('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    return c.json({ thread: await asked(parts, caller, (agent) => agent.thread(id)) });
  });
  routes.delete('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    await asked(parts, caller, (agent) => agent.deleteThread(id));
    return c.body(null, 204);
  });
}

function approvalRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const routes = readingRoutes(app, door);
  routes.get('/v1/agent/approvals', async (c, caller) =>
    c.json({ approvals: await asked(parts, caller, (agent) => agent.approvals()) }),
  );
  routes.post('/v1/agent/approvals/reconcile', async (c, caller) => {
    const { id } = await bodyOf(c, reconcileSchema);
    return c.json({ approvals: await asked(parts, caller, (agent) => agent.reconcile(id)) });
  });
  routes.get('/v1/agent/approvals/:approval', async (c, caller) => {
    const id = c.req.param('approval') ?? '';
    const approval = await asked(parts, caller, (agent) => agent.approval(id));
    if (approval !== undefined) return c.json({ approval });
    throw new Refusal(404, 'not_found', `there is no approval ${id}`, {
      hint: 'List yours with "trade-agent approvals".',
    });
  });
  app.post(
    '/v1/agent/approvals/:approval/cancel',
    door.guard([PROPOSE_ORDERS], async (c, caller) => {
      const id = c.req.param('approval') ?? '';
      return c.json({ approval: await asked(parts, caller, (agent) => agent.cancelApproval(id)) });
    }),
  );
}
