import type { Hono } from 'hono';
import {
  resumeThreadSchema,
  startRunSchema,
  threadIdSchema,
  type WireOptions,
} from '../../agent/remote/protocol.ts';
import { shortId } from '../../agent/short-id.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Door } from '../../gateway/door/door.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { MOST_OPEN_RUNS, type NewRun } from '../../store/run-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { personStores } from '../person-agent.ts';
import { runsOf, type ServerParts } from '../server-parts.ts';
import { bodyOf, idempotencyKeyOf, sessionOf } from './person-requests.ts';

const [MARKET_READ] = READ_SCOPES;

/** A prompt and the data with it, as UTF-8 has them at the longest. */
const LARGEST_RUN = 5 * 1024 * 1024;

/**
 * Runs are begun here and driven elsewhere. What a run may do is what the token may that asked for it, so that to begin one takes no
 * more than reading.
 */
export function runRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const { clock } = parts;
  const begin = async (caller: Caller, run: Omit<NewRun, 'id' | 'client' | 'scopes'>) => {
    // What the run acts by is kept before it is there.
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
      {
        hint: 'Use a new key for each run.',
      },
    );
  };

  app.post(
    '/v1/agent/runs',
    door.guard([MARKET_READ], async (c, caller) => {
      const idempotencyKey = idempotencyKeyOf(c);
      const { input, options } = await bodyOf(c, startRunSchema, LARGEST_RUN);
      const thread = input.thread ?? shortId('th_', 10);
      return c.json(await begin(caller, { thread, idempotencyKey, input, options }), 202);
    }),
  );
  app.post(
    '/v1/agent/threads/:thread/resume',
    door.guard([MARKET_READ], async (c, caller) => {
      const idempotencyKey = idempotencyKeyOf(c);
      const { options }: { options: WireOptions } = await bodyOf(c, resumeThreadSchema);
      const thread = threadIdSchema.safeParse(c.req.param('thread')).data ?? '';
      if ((await personStores(parts, caller.sub).threads.find(thread)) === undefined) throw noThread(thread);
      return c.json(await begin(caller, { thread, idempotencyKey, input: undefined, options }), 202);
    }),
  );
  app.delete(
    '/v1/agent/runs/:run',
    // Whatever it was begun by: nothing is traded by its end.
    door.guard([], async (c, caller) => {
      const id = c.req.param('run') ?? '';
      const runs = runsOf(parts, caller.sub);
      if (!(await runs.stop(id)) && (await runs.find(id)) === undefined) throw noRun(id);
      return c.body(null, 204);
    }),
  );
}

export function noRun(id: string): Refusal {
  return new Refusal(404, 'not_found', `there is no run ${id}`, {
    hint: 'A run is kept for a day after its end; its thread stays.',
  });
}

function noThread(id: string): Refusal {
  return new Refusal(404, 'not_found', `there is no thread ${id}`, {
    hint: 'List yours with "trade-agent threads".',
  });
}
