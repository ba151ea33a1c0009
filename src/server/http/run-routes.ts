import type { Hono } from 'hono';
import {
  ALIVE_EVERY_MS,
  resumeThreadSchema,
  startRunSchema,
  threadIdSchema,
  type WireOptions,
} from '../../agent/remote/protocol.ts';
import { shortId } from '../../agent/short-id.ts';
import { EXPIRY_MARGIN_MS } from '../../auth/session/access-token.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Door } from '../../gateway/door/door.ts';
import type { Clock } from '../../machine/clock.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import {
  MOST_OPEN_RUNS,
  type NewRun,
  type RunEvent,
  type RunNews,
  type RunStore,
} from '../../store/run-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { personStores } from '../person-agent.ts';
import type { PersonWatch } from '../person-watch.ts';
import { runsOf, type ServerParts } from '../server-parts.ts';
import { bodyOf, idempotencyKeyOf, readingRoutes, sessionOf } from './person-requests.ts';

/** The most bytes of a prompt with its data. */
const LARGEST_RUN = 5 * 1024 * 1024;

/**
 * Starts runs, which workers drive. A run may do what the token that requested it may, so that starting one needs
 * only reading.
 */
export function runRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const routes = readingRoutes(app, door);
  const { clock } = parts;
  const begin = async (caller: Caller, run: Omit<NewRun, 'id' | 'client' | 'scopes'>) => {
    // The run's credentials are stored before the run.
    await sessionOf(parts, caller);
    const begun = await runsOf(parts, caller.sub).begin(
      { ...run, id: shortId('run_', 20), client: caller.clientId ?? '', scopes: [...caller.scopes] },
      clock.now(),
    );
    if (begun.outcome === 'full') {
      throw new Refusal(429, 'too_many_open', `${MOST_OPEN_RUNS} runs of yours have not ended`, {
        hint: 'Wait for some, or stop them.',
        retryAfter: 30,
      });
    }
    if (begun.outcome !== 'other') return { run: begun.run.id, thread: begun.run.thread };
    throw new Refusal(
      409,
      'idempotency_key_conflict',
      'another run was asked for under this Idempotency-Key',
      { hint: 'Use a new key for each run.' },
    );
  };

  routes.post('/v1/agent/runs', async (c, caller) => {
    const idempotencyKey = idempotencyKeyOf(c);
    const { input, options } = await bodyOf(c, startRunSchema, LARGEST_RUN);
    const thread = input.thread ?? shortId('th_', 10);
    return c.json(await begin(caller, { thread, idempotencyKey, input, options }), 202);
  });
  routes.post('/v1/agent/threads/:thread/resume', async (c, caller) => {
    const idempotencyKey = idempotencyKeyOf(c);
    const { options }: { options: WireOptions } = await bodyOf(c, resumeThreadSchema);
    const thread = threadIdSchema.safeParse(c.req.param('thread')).data ?? '';
    if ((await personStores(parts, caller.sub).threads.find(thread)) === undefined) throw noThread(thread);
    return c.json(await begin(caller, { thread, idempotencyKey, input: undefined, options }), 202);
  });
  app.delete(
    '/v1/agent/runs/:run',
    // Any token may stop a run: that trades nothing.
    door.guard([], async (c, caller) => {
      const id = c.req.param('run') ?? '';
      const runs = runsOf(parts, caller.sub);
      if (!(await runs.stop(id)) && (await runs.find(id)) === undefined) throw noRun(id);
      return c.body(null, 204);
    }),
  );
}

function noRun(id: string): Refusal {
  return new Refusal(404, 'not_found', `there is no run ${id}`, {
    hint: 'A run is kept for a day after its end; its thread stays.',
  });
}

function noThread(id: string): Refusal {
  return new Refusal(404, 'not_found', `there is no thread ${id}`, {
    hint: 'List yours with "trade-agent threads".',
  });
}

export const MOST_STREAMS = 20;
const BATCH = 200;
/** Node's longest timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface RunEventsOptions extends ServerParts {
  readonly watch: PersonWatch;
  readonly closing: AbortSignal;
}

/** A run's events from its rows: the same at every server, and every time. */
export function runEventRoutes(app: Hono, door: Door, parts: RunEventsOptions): void {
  const { clock, news, watch, closing } = parts;
  app.get(
    '/v1/agent/runs/:run/events',
    door.stream([READ_SCOPES[0]], async (c, caller) => {
      const id = c.req.param('run') ?? '';
      const runs = runsOf(parts, caller.sub);
      const run = await runs.find(id);
      if (run === undefined) throw noRun(id);
      const session = await sessionOf(parts, caller);
      // It may have settled meanwhile, without a session to ask in.
      if (run.state === 'waiting') await runs.lookAgain(id, clock.now());
      const last = c.req.header('last-event-id');
      const from = last !== undefined && /^\d{1,9}$/.test(last) ? Number(last) : 0;
      const lasts = Math.max(0, Math.min(caller.expiresAt - clock.now(), LONGEST_TIMER_MS));
      // Ends with the token, early enough that the watcher brings another, with which the run continues in their
      // name.
      const left = lasts > EXPIRY_MARGIN_MS ? lasts - EXPIRY_MARGIN_MS : lasts;
      return async (stream) => {
        const unwatch = watch.watch(session);
        const ended = AbortSignal.any([AbortSignal.timeout(left), c.req.raw.signal, closing]);
        try {
          for await (const events of followRun(runs, id, from, { news, clock, signal: ended })) {
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
 * A run's events after a number, until its result, or until `signal` aborts. An empty batch is a keep-alive: the
 * first says that following has begun.
 */
export async function* followRun(
  runs: Pick<RunStore, 'eventsAfter' | 'find'>,
  id: string,
  from: number,
  { news, clock, signal }: { readonly news: RunNews; readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<RunEvent[], void, undefined> {
  let last = from;
  let isNews = new AbortController();
  const stop = news.hear((told) => {
    if (told === undefined || told === id) isNews.abort();
  });
  try {
    yield [];
    while (!signal.aborted) {
      // Renewed before reading: events told meanwhile cause another read.
      isNews = new AbortController();
      const events = await runs.eventsAfter(id, last, BATCH);
      if (events.length > 0) {
        last = events.at(-1)?.seq ?? last;
        yield events;
        continue;
      }
      const run = await runs.find(id);
      if (run === undefined || (run.state === 'ended' && run.events <= last)) return;
      const woken = await clock.sleep(ALIVE_EVERY_MS, AbortSignal.any([isNews.signal, signal])).then(
        () => false,
        () => true,
      );
      if (!woken) yield [];
    }
  } finally {
    stop();
  }
}
