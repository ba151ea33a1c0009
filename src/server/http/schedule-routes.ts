import { createHash } from 'node:crypto';
import type { Hono } from 'hono';
import { z } from 'zod';
import { type AddScheduleRequest, addScheduleRequestSchema, type RemoteSchedule } from '../../agent/remote/protocol.ts';
import { createShortId } from '../../agent/short-id.ts';
import type { Session } from '../../auth/session/session.ts';
import { toPriceConditions } from '../../check/conditions.ts';
import { defaultRulesFile, parseRules } from '../../check/load-rules.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Authenticator } from '../../gateway/auth/authenticator.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import { parseQuery } from '../../gateway/routes/request.ts';
import { timingRunTimes } from '../../schedule/cron-expression.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { RunTimes } from '../../schedule/run-times.ts';
import { scheduleNamePattern, type Timing } from '../../schedule/schedule.ts';
import { postgresCalendarRows } from '../../store/postgres/state/calendar-rows.ts';
import type { NewSchedule, ScheduleRow } from '../../store/schedule-rows.ts';
import { AgentHttpProblem, HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { createTradingDayReader } from '../jobs/market-days.ts';
import type { ServerDeps } from '../server-deps.ts';
import {
  MAX_SCHEDULES,
  nextReviewTime,
  personSchedules,
  type ServerSchedule,
  tenantSchedules,
} from '../server-deps.ts';
import { withHttpProblems } from './agent-problem.ts';
import { createReadRoutes, getCallerSession, parseJsonBody, requireIdempotencyKey } from './caller-requests.ts';

/** Maximum body size in bytes, large enough for a rules file. */
const MAX_BODY_BYTES = 256 * 1024;
const NEXT_TIMES_SHOWN = 5;

const runsQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(128).default(20) });

/**
 * Adds the routes for a person's schedules. A schedule runs with the rights of the token that added it, even while the
 * person is away. Adding the first schedule therefore requires offline access, and removing the last one revokes that
 * access.
 */
export function addScheduleRoutes(app: Hono, authenticator: Authenticator, deps: ServerDeps): void {
  const routes = createReadRoutes(app, authenticator);
  const { clock, sessions } = deps;
  const days = createTradingDayReader({
    rows: postgresCalendarRows(deps.database),
    schedules: tenantSchedules(deps),
    sessions,
    clock,
  });
  const runTimesOf = async (timing: Timing, session: () => Promise<Session>): Promise<RunTimes> =>
    timingRunTimes(timing, 'at' in timing ? await days.askedBy(await session()) : []);
  const shown = async (caller: Caller, rows: readonly ScheduleRow<ServerSchedule, RunRecord>[]) => {
    let session: Promise<Session> | undefined;
    const once = () => (session ??= getCallerSession(deps, caller));
    return await Promise.all(
      rows.map(async (row) =>
        toRemoteSchedule(row, await withHttpProblems(() => runTimesOf(row.schedule.timing, once)), clock.now()),
      ),
    );
  };
  const find = async ({ sub }: Caller, idOrName: string) => {
    const row = scheduleNamePattern.test(idOrName) ? await personSchedules(deps, sub).find(idOrName) : undefined;
    if (row !== undefined) return row;
    throw new HttpProblem(404, 'not_found', `there is no schedule ${JSON.stringify(idOrName)}`, {
      hint: 'List yours with "trade-agent schedule list".',
    });
  };

  routes.get('/v1/agent/schedules', async (c, caller) =>
    c.json({ schedules: await shown(caller, await personSchedules(deps, caller.sub).list()) }),
  );
  routes.post('/v1/agent/schedules', async (c, caller) => {
    const key = requireIdempotencyKey(c);
    const asked = await parseJsonBody(c, addScheduleRequestSchema, MAX_BODY_BYTES);
    const session = await getCallerSession(deps, caller);
    const runTimes = await withHttpProblems(() =>
      withUsageProblems(() => runTimesOf(asked.timing, async () => session)),
    );
    const made = await withUsageProblems(() => newSchedule(asked, caller, { key, runTimes, now: clock.now() }));
    await withHttpProblems(() => sessions.grantOffline(caller, caller.accessToken));
    const added = await personSchedules(deps, caller.sub).add(made, MAX_SCHEDULES);
    if (!('schedule' in added)) throw addProblem(added.outcome, asked.name);
    const [schedule] = await shown(caller, [await find(caller, added.schedule.id)]);
    return c.json({ schedule }, 201);
  });
  routes.get('/v1/agent/schedules/:schedule', async (c, caller) => {
    const [schedule] = await shown(caller, [await find(caller, c.req.param('schedule') ?? '')]);
    return c.json({ schedule });
  });
  routes.delete('/v1/agent/schedules/:schedule', async (c, caller) => {
    const rows = personSchedules(deps, caller.sub);
    await rows.remove((await find(caller, c.req.param('schedule') ?? '')).schedule.id);
    if ((await rows.list()).length === 0) await withHttpProblems(() => sessions.revokeOffline(caller.sub));
    return c.body(null, 204);
  });
  routes.post('/v1/agent/schedules/:schedule/run', async (c, caller) => {
    const key = requireIdempotencyKey(c);
    const { schedule } = await find(caller, c.req.param('schedule') ?? '');
    // Stores the run's credentials before the run is created.
    await getCallerSession(deps, caller);
    const queued = await personSchedules(deps, caller.sub).requestRun(schedule.id, key, clock.now());
    return c.json({ queued_at: new Date(queued ?? clock.now()).toISOString() }, 202);
  });
  routes.get('/v1/agent/schedules/:schedule/runs', async (c, caller) => {
    const { limit } = parseQuery(runsQuery, c.req.url);
    const { schedule } = await find(caller, c.req.param('schedule') ?? '');
    return c.json({ runs: await personSchedules(deps, caller.sub).runs(schedule.id, limit) });
  });
}

async function newSchedule(
  asked: AddScheduleRequest,
  caller: Caller,
  { key, runTimes, now }: { readonly key: string; readonly runTimes: RunTimes; readonly now: number },
): Promise<NewSchedule<ServerSchedule>> {
  const { rules } = asked.check;
  const file = rules === undefined ? defaultRulesFile() : await parseRules(rules, 'rules');
  return {
    schedule: {
      ...asked,
      id: createShortId('s', 10),
      scopes: [...caller.scopes],
      created_at: new Date(now).toISOString(),
    },
    key,
    request: createHash('sha256').update(JSON.stringify(asked)).digest('base64url'),
    now,
    wakeAt: nextReviewTime(asked.timing, runTimes.after(now, 1)[0], now),
    conditions: asked.on_price === true ? toPriceConditions(file) : [],
  };
}

function toRemoteSchedule(
  { schedule: { scopes: _, ...schedule }, last }: ScheduleRow<ServerSchedule, RunRecord>,
  runTimes: RunTimes,
  now: number,
): RemoteSchedule {
  const next = runTimes.after(now, NEXT_TIMES_SHOWN).map((runTime) => new Date(runTime).toISOString());
  return { ...schedule, next, last: last ?? null };
}

/** Converts errors in rules or times to `usage` problems. */
async function withUsageProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isTradeAgentError(error) || !['invalid_config', 'usage'].includes(error.code)) throw error;
    const { message, hint } = error;
    throw new AgentHttpProblem(400, 'usage', message, defined({ hint }));
  }
}

function addProblem(outcome: 'conflict' | 'name_taken' | 'too_many', name: string | null): Error {
  if (outcome === 'conflict') {
    const message = 'this Idempotency-Key was already used for another schedule';
    const hint = 'Use a new key for each schedule.';
    return new HttpProblem(409, 'idempotency_key_conflict', message, { hint });
  }
  const [message, hint] =
    outcome === 'name_taken'
      ? [`a schedule "${name}" already exists`, 'Choose another name, or remove that schedule first.']
      : [`you already have ${MAX_SCHEDULES} schedules, the maximum`, 'Remove one first.'];
  return new AgentHttpProblem(409, 'usage', message, { hint });
}
