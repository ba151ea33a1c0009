import { Hono } from 'hono';
import { z } from 'zod';
import {
  type AgentOperation,
  agentEventSchema,
  agentOperations,
  approvalResponseSchema,
  IDEMPOTENCY_KEY_HEADER,
  idempotencyKeySchema,
  KEEP_ALIVE_INTERVAL_MS,
  OPENAPI_PATH,
  problemSchema,
  pruneThreadsSchema,
  reconcileRequestSchema,
  remoteScheduleSchema,
  resumeThreadSchema,
  runResultSchema,
  startRunSchema,
  threadIdSchema,
  type WireOptions,
} from '../../agent/remote/protocol.ts';
import { createShortId } from '../../agent/short-id.ts';
import { threadSchema } from '../../agent/view-schemas.ts';
import { TOKEN_EXPIRY_MARGIN_MS } from '../../auth/session/access-token.ts';
import { type Authenticator, createAuthenticator, type RequestLog } from '../../gateway/auth/authenticator.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import { createIdentityProvider } from '../../gateway/auth/identity-provider.ts';
import { createProtectedResourceMetadata, METADATA_PATH } from '../../gateway/auth/protected-resource-metadata.ts';
import { createTokenVerifier } from '../../gateway/auth/token-verifier.ts';
import { addHealthRoutes } from '../../gateway/routes/health.ts';
import { parseQuery } from '../../gateway/routes/request.ts';
import type { Clock } from '../../machine/clock.ts';
import { currentLogContext } from '../../machine/log-context.ts';
import { PROPOSE_ORDERS_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { postgresTransactions } from '../../store/postgres/sql-database.ts';
import {
  MAX_OPEN_RUNS,
  type NewRun,
  type RunAnnouncements,
  type RunEvent,
  type RunStore,
} from '../../store/run-store.ts';
import { createProofStore } from '../../store/sql/proof-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Environment } from '../../trading/order.ts';
import { orderSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { createSchemaRegistry } from '../../values/schema-registry.ts';
import { personStores } from '../person-agent.ts';
import { createPersonProposalWatch, type PersonProposalWatch } from '../person-watch.ts';
import { personRuns, type ServerDeps } from '../server-deps.ts';
import {
  createReadRoutes,
  getCallerSession,
  parseJsonBody,
  requireIdempotencyKey,
  withAgent,
} from './caller-requests.ts';

const PROVIDER_TIMEOUT_MS = 10_000;

export interface ServerAppOptions extends ServerDeps {
  /** The server's public address: its resource identifier (RFC 8707), and the `aud` of its tokens. */
  readonly address: string;
  readonly issuer: string;
  /** ID of the public client with which people sign in; undefined for a home's default client. */
  readonly loginClient?: string | undefined;
  readonly environment: Environment;
  /** Version in the OpenAPI document. */
  readonly version: string;
  readonly log: RequestLog;
  readonly routes?: readonly ((app: Hono, authenticator: Authenticator, deps: ServerDeps) => void)[];
}

export interface ServerApp {
  readonly app: Hono;
  /** Ends open streams, and rejects new requests. */
  close(): Promise<void>;
}

/** Creates the API for clients on people's computers. `agent/remote/protocol.ts` defines all requests. */
export function createServerApp(options: ServerAppOptions): ServerApp {
  const { address, issuer, clock, database, log } = options;
  const closing = new AbortController();
  const requireOpen = () => {
    if (closing.signal.aborted) throw new HttpProblem(503, 'closing', 'the server is shutting down', { retryAfter: 5 });
  };
  const verify = createTokenVerifier({
    provider: createIdentityProvider({
      issuer,
      fetch: options.fetch,
      timeoutMs: PROVIDER_TIMEOUT_MS,
      clock,
    }),
    resource: address,
    proofs: createProofStore(postgresTransactions(database), 'server_dpop_proofs'),
    clock,
    requireBoundTokens: true,
  });
  const authenticator = createAuthenticator({
    verify: async (credentials) => {
      requireOpen();
      return await verify(credentials);
    },
    inProcessCaller: async () => undefined,
    resource: address,
    serviceName: 'server',
    maxStreamsPerPerson: MAX_STREAMS,
    internalHint: 'Try again with the same Idempotency-Key, so that nothing is done twice.',
    clock,
    log,
  });
  const watch = createPersonProposalWatch(options);
  const app = new Hono();
  runRoutes(app, authenticator, options);
  runEventRoutes(app, authenticator, { ...options, watch, closing: closing.signal });
  threadRoutes(app, authenticator, options);
  approvalRoutes(app, authenticator, options);
  for (const more of options.routes ?? []) more(app, authenticator, options);
  addHealthRoutes(app, authenticator, {
    askStore: () => database.read((unit) => unit.one('SELECT 1 AS one')),
    isShut: () => closing.signal.aborted,
  });
  const { loginClient, environment } = options;
  // RFC 9728 §2 allows additional members.
  const metadata = {
    ...createProtectedResourceMetadata({
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
    authenticator.open((c) => c.json(metadata)),
  );
  let document: ReturnType<typeof createOpenApiDocument> | undefined;
  app.get(
    OPENAPI_PATH,
    authenticator.open((c) => {
      document ??= createOpenApiDocument(address, options.version);
      return c.json(document);
    }),
  );
  app.notFound(
    authenticator.open(() => {
      throw new HttpProblem(404, 'not_found', 'there is no such endpoint');
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

function threadRoutes(app: Hono, authenticator: Authenticator, deps: ServerDeps): void {
  const routes = createReadRoutes(app, authenticator);
  routes.get('/v1/agent/threads', async (c, caller) => {
    const { as_kept: asKept } = parseQuery(threadsQuery, c.req.url);
    return c.json({ threads: await withAgent(deps, caller, (agent) => agent.threads({ asKept })) });
  });
  routes.post('/v1/agent/threads/prune', async (c, caller) => {
    const { older_than: olderThan, keep, dry_run: dryRun = false } = await parseJsonBody(c, pruneThreadsSchema);
    const deleted = await withAgent(deps, caller, (agent) => agent.pruneThreads({ olderThan, keep, dryRun }));
    return c.json({ deleted });
  });
  routes.get('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    return c.json({ thread: await withAgent(deps, caller, (agent) => agent.thread(id)) });
  });
  routes.delete('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    await withAgent(deps, caller, (agent) => agent.deleteThread(id));
    return c.body(null, 204);
  });
}

function approvalRoutes(app: Hono, authenticator: Authenticator, deps: ServerDeps): void {
  const routes = createReadRoutes(app, authenticator);
  routes.get('/v1/agent/approvals', async (c, caller) =>
    c.json({ approvals: await withAgent(deps, caller, (agent) => agent.approvals()) }),
  );
  routes.post('/v1/agent/approvals/reconcile', async (c, caller) => {
    const { id } = await parseJsonBody(c, reconcileRequestSchema);
    return c.json({ approvals: await withAgent(deps, caller, (agent) => agent.reconcile(id)) });
  });
  routes.get('/v1/agent/approvals/:approval', async (c, caller) => {
    const id = c.req.param('approval') ?? '';
    const approval = await withAgent(deps, caller, (agent) => agent.approval(id));
    if (approval !== undefined) return c.json({ approval });
    throw new HttpProblem(404, 'not_found', `there is no approval ${id}`, {
      hint: 'List yours with "trade-agent approvals".',
    });
  });
  app.post(
    '/v1/agent/approvals/:approval/cancel',
    authenticator.guard([PROPOSE_ORDERS_SCOPE], async (c, caller) => {
      const id = c.req.param('approval') ?? '';
      return c.json({ approval: await withAgent(deps, caller, (agent) => agent.cancelApproval(id)) });
    }),
  );
}

/** Maximum size of a prompt with its data, in bytes. */
const MAX_RUN_BYTES = 5 * 1024 * 1024;

/**
 * Adds the routes that start and stop runs, which workers execute. A run has the rights of the token that started it,
 * so starting a run requires only the read scope.
 */
function runRoutes(app: Hono, authenticator: Authenticator, deps: ServerDeps): void {
  const routes = createReadRoutes(app, authenticator);
  const { clock } = deps;
  const begin = async (caller: Caller, run: Omit<NewRun, 'id' | 'client' | 'scopes' | 'trace'>) => {
    // Stores the run's credentials before the run is created.
    await getCallerSession(deps, caller);
    const begun = await personRuns(deps, caller.sub).begin(
      {
        ...run,
        id: createShortId('run_', 20),
        client: caller.clientId ?? '',
        scopes: [...caller.scopes],
        trace: currentLogContext().trace,
      },
      clock.now(),
    );
    if (begun.outcome === 'full') {
      throw new HttpProblem(429, 'too_many_open', `you have ${MAX_OPEN_RUNS} unfinished runs`, {
        hint: 'Wait until a run ends, or stop one.',
        retryAfter: 30,
      });
    }
    if (begun.outcome !== 'other') return { run: begun.run.id, thread: begun.run.thread };
    throw new HttpProblem(409, 'idempotency_key_conflict', 'this Idempotency-Key was already used for another run', {
      hint: 'Use a new key for each run.',
    });
  };

  routes.post('/v1/agent/runs', async (c, caller) => {
    const idempotencyKey = requireIdempotencyKey(c);
    const { input, options } = await parseJsonBody(c, startRunSchema, MAX_RUN_BYTES);
    const thread = input.thread ?? createShortId('th_', 10);
    return c.json(await begin(caller, { thread, idempotencyKey, input, options }), 202);
  });
  routes.post('/v1/agent/threads/:thread/resume', async (c, caller) => {
    const idempotencyKey = requireIdempotencyKey(c);
    const { options }: { options: WireOptions } = await parseJsonBody(c, resumeThreadSchema);
    const thread = threadIdSchema.safeParse(c.req.param('thread')).data ?? '';
    if ((await personStores(deps, caller.sub).threads.find(thread)) === undefined) throw threadNotFound(thread);
    return c.json(await begin(caller, { thread, idempotencyKey, input: undefined, options }), 202);
  });
  app.delete(
    '/v1/agent/runs/:run',
    // Any token may stop a run, because stopping a run never trades.
    authenticator.guard([], async (c, caller) => {
      const id = c.req.param('run') ?? '';
      const runs = personRuns(deps, caller.sub);
      if (!(await runs.stop(id)) && (await runs.find(id)) === undefined) throw runNotFound(id);
      return c.body(null, 204);
    }),
  );
}

function runNotFound(id: string): HttpProblem {
  return new HttpProblem(404, 'not_found', `there is no run ${id}`, {
    hint: 'A run is kept for one day after it ends. Its thread is kept longer.',
  });
}

function threadNotFound(id: string): HttpProblem {
  return new HttpProblem(404, 'not_found', `there is no thread ${id}`, {
    hint: 'List yours with "trade-agent threads".',
  });
}

const MAX_STREAMS = 20;
const EVENT_BATCH = 200;
/** Maximum delay of a Node timer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface RunEventsOptions extends ServerDeps {
  readonly watch: PersonProposalWatch;
  readonly closing: AbortSignal;
}

/** Adds the route for a run's events. All servers send the same events, because they read them from the database. */
function runEventRoutes(app: Hono, authenticator: Authenticator, deps: RunEventsOptions): void {
  const { clock, news, watch, closing } = deps;
  app.get(
    '/v1/agent/runs/:run/events',
    authenticator.stream([READ_SCOPES[0]], async (c, caller) => {
      const id = c.req.param('run') ?? '';
      const runs = personRuns(deps, caller.sub);
      const run = await runs.find(id);
      if (run === undefined) throw runNotFound(id);
      const session = await getCallerSession(deps, caller);
      // Makes the next poll due now: a proposal may have been decided while no session was available to ask the
      // gateway.
      if (run.state === 'waiting') await runs.postponePoll(id, clock.now());
      const last = c.req.header('last-event-id');
      const from = last !== undefined && /^\d{1,9}$/.test(last) ? Number(last) : 0;
      const lasts = Math.max(0, Math.min(caller.expiresAt - clock.now(), MAX_TIMER_MS));
      // Ends the stream shortly before the token expires. The client then reconnects with a new token, which the run
      // will use.
      const left = lasts > TOKEN_EXPIRY_MARGIN_MS ? lasts - TOKEN_EXPIRY_MARGIN_MS : lasts;
      return async (stream) => {
        const unwatch = watch.watch(session);
        const ended = AbortSignal.any([AbortSignal.timeout(left), c.req.raw.signal, closing]);
        try {
          for await (const events of followRunEvents(runs, id, from, { news, clock, signal: ended })) {
            if (events.length === 0) await stream.write(': alive\n\n');
            for (const { seq, event } of events)
              await stream.writeSSE({ id: String(seq), data: JSON.stringify(event) });
          }
        } finally {
          unwatch();
        }
      };
    }),
  );
}

/**
 * Yields a run's events after a sequence number, until the run has a result or `signal` aborts. An empty batch is a
 * keep-alive. The first batch is sent immediately, even if empty, to confirm the subscription.
 */
export async function* followRunEvents(
  runs: Pick<RunStore, 'eventsAfter' | 'find'>,
  id: string,
  from: number,
  { news, clock, signal }: { readonly news: RunAnnouncements; readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<RunEvent[], void, undefined> {
  let last = from;
  let isNews = new AbortController();
  const stop = news.subscribe((changedRun) => {
    if (changedRun === undefined || changedRun === id) isNews.abort();
  });
  try {
    yield [];
    while (!signal.aborted) {
      // Created before the read, so that an event announced during the read causes another read.
      isNews = new AbortController();
      const events = await runs.eventsAfter(id, last, EVENT_BATCH);
      if (events.length > 0) {
        last = events.at(-1)?.seq ?? last;
        yield events;
        continue;
      }
      const run = await runs.find(id);
      if (run === undefined || (run.state === 'ended' && run.events <= last)) return;
      const woken = await clock.sleep(KEEP_ALIVE_INTERVAL_MS, AbortSignal.any([isNews.signal, signal])).then(
        () => false,
        () => true,
      );
      if (!woken) yield [];
    }
  } finally {
    stop();
  }
}

const componentNames = new Map<z.core.$ZodType, string>([
  [approvalResponseSchema.shape.approval, 'Approval'],
  [agentEventSchema, 'AgentEvent'],
  [runResultSchema, 'RunResult'],
  [threadSchema, 'Thread'],
  [orderSchema, 'Order'],
  [remoteScheduleSchema, 'Schedule'],
  [runRecordSchema, 'ScheduleRun'],
  [problemSchema, 'Problem'],
]);

type Json = Record<string, unknown>;

/**
 * Generates the server's OpenAPI 3.1 document from the schemas that validate requests (agent/remote/protocol.ts).
 * @see https://spec.openapis.org/oas/v3.1.1.html
 * @param address the server's address
 */
export function createOpenApiDocument(address: string, version: string): Json {
  const components: Json = {};
  /**
   * Returns JSON Schema 2020-12, with named schemas in `components`. Response schemas allow members that later versions
   * may add.
   */
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const {
      $schema: _,
      $defs = {},
      ...json
    } = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      unrepresentable: 'any',
      ...(io === 'output' && { metadata: createSchemaRegistry(componentNames), override: allowAdditionalProperties }),
    }) as Json & { readonly $defs?: Json };
    for (const [name, part] of Object.entries($defs)) components[name] = rewriteRefs(withoutId(part as Json));
    return rewriteRefs(withoutId(json)) as Json;
  };
  const paths: Record<string, Json> = {};
  for (const [name, operation] of Object.entries(agentOperations) as [string, AgentOperation][]) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: toOperation(name, operation, schemaOf) };
  }
  const problem = schemaOf(problemSchema, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'trade-agent server',
      version,
      description:
        'Runs agents that manage brokerage accounts. Other paths under /v1/ are forwarded to the gateway on the user’s behalf.',
    },
    servers: [{ url: address }],
    security: [{ dpop: [] }],
    paths,
    components: {
      schemas: { ...components, Problem: problem.$ref === undefined ? problem : components.Problem },
      securitySchemes: {
        dpop: {
          type: 'http',
          scheme: 'DPoP',
          description:
            'An access token for the server’s audience that is bound to a key (RFC 9449), sent with a DPoP header.',
        },
      },
    },
  };
}

function toOperation(
  name: string,
  operation: AgentOperation,
  schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json,
): Json {
  const { path, summary, idempotent, query = {}, headers = {}, body, status, answer, streams } = operation;
  const parameter = (place: string, required: boolean) => (entry: [string, z.ZodType]) => ({
    name: entry[0],
    in: place,
    required,
    schema: schemaOf(entry[1], 'input'),
  });
  const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, id = '']): [string, z.ZodType] => [id, z.string()]);
  const parameters = [
    ...ids.map(parameter('path', true)),
    ...Object.entries(query).map(parameter('query', false)),
    ...Object.entries(headers).map(parameter('header', false)),
    ...(idempotent === true ? [parameter('header', true)([IDEMPOTENCY_KEY_HEADER, idempotencyKeySchema])] : []),
  ];
  const ref = { $ref: '#/components/schemas/Problem' };
  return {
    operationId: name,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }),
    responses: {
      [status]: {
        description: summary,
        ...(answer === undefined ? {} : { content: responseContent(schemaOf(answer, 'output'), streams === true) }),
      },
      default: {
        description: 'an HTTP problem (RFC 9457)',
        content: { 'application/problem+json': { schema: ref } },
      },
    },
  };
}

/** Describes a response's content. OpenAPI 3.1 can't describe the events of a stream (3.2 can, with `itemSchema`). */
function responseContent(schema: Json, streams: boolean): Json {
  if (!streams) return { 'application/json': { schema } };
  const stream = { type: 'string', description: 'server-sent events, each with an increasing ID' };
  return { 'text/event-stream': { schema: stream, 'x-event-data': schema } };
}

function allowAdditionalProperties({ jsonSchema }: { readonly jsonSchema: { additionalProperties?: unknown } }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

/** Removes `id`, which would change the base URI of references in the schema. */
function withoutId({ id: _, $id: __, ...json }: Json): Json {
  return json;
}

function rewriteRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewriteRefs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace(/^#\/\$defs\//, '#/components/schemas/')
        : rewriteRefs(inner),
    ]),
  );
}
