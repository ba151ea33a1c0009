import type { AgentEvent, RunResult } from '../../../src/agent/events.ts';
import type { WireInput, WireOptions } from '../../../src/agent/remote/protocol.ts';
import type { JobQueue } from '../../../src/jobs/job-queue.ts';
import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import { followRunEvents } from '../../../src/server/http/server-app.ts';
import { collectRuns } from '../../../src/server/jobs/run-collector.ts';
import { createRunJob } from '../../../src/server/jobs/run-job.ts';
import { personRuns, type ServerDeps } from '../../../src/server/server-deps.ts';
import type { PersonSessions } from '../../../src/server/sessions/person-sessions.ts';
import { postgresDueRuns } from '../../../src/store/postgres/server-database.ts';
import { postgresRunAnnouncements } from '../../../src/store/postgres/state/run-news.ts';
import { GatewayStandIn } from '../../integration/agent/gateway-stand-in.ts';
import { profileAt, sessionOf } from '../../integration/agent/session.ts';
import { newTenant, type TestDatabase } from '../support/database.ts';

/** Whoever calls is signed in, as the agent's own tests have it. */
export function sessionsAt(gateway: string): PersonSessions {
  const of = async (person: string) => sessionOf(profileAt(gateway), person);
  return {
    forCaller: ({ sub }) => of(sub),
    forPerson: of,
    grantOffline: async () => undefined,
    grantOfflineTo: async () => undefined,
    revokeOffline: async () => undefined,
  };
}

/** Servers and workers of one tenant over one database, each with connections of its own as another machine would have. */
export async function startServerWorld(server: TestDatabase, tenant = newTenant(), clock = systemClock) {
  const gateway = await new GatewayStandIn().start();
  const errors: string[] = [];
  const closing: (() => Promise<unknown>)[] = [];

  const machine = async (change: Partial<ServerDeps> = {}): Promise<ServerDeps> => {
    const database = await server.open(tenant);
    const jobs = await openPgBossQueue({
      address: server.app,
      tenant,
      onError: (error) => errors.push(String(error)),
    });
    const news = postgresRunAnnouncements(database);
    closing.push(async () => {
      await jobs.close({ drainMs: 0 });
      await news.close();
    });
    return {
      ...{ database, jobs, news, clock, fetch, env: {} },
      sessions: sessionsAt(gateway.url),
      model: { provider: 'builtin' },
      onError: (message) => errors.push(message),
      ...change,
    };
  };
  /** One that does jobs, and looks after what no job stands behind. */
  const worker = async (change: Partial<ServerDeps> = {}): Promise<{ close(drainMs?: number): Promise<void> }> => {
    const parts = await machine(change);
    await parts.jobs.work('run', createRunJob(parts));
    const stop = new AbortController();
    const collecting = collectRuns(
      { ...parts, due: postgresDueRuns(parts.database), paced: async () => undefined },
      stop.signal,
    );
    const close = async (drainMs = 0) => {
      stop.abort();
      await collecting;
      await parts.jobs.close({ drainMs });
    };
    closing.push(close);
    return { close };
  };
  return {
    ...{ tenant, gateway, phone: gateway.proposals, errors, machine, worker },
    async close() {
      await Promise.all(closing.map((close) => close()));
      await gateway.stop();
    },
  };
}
export type ServerWorld = Awaited<ReturnType<typeof startServerWorld>>;

let keys = 0;

/** Asks for a run, as the route does. @returns its id */
export async function begin(
  parts: ServerDeps,
  input: WireInput | undefined,
  {
    person = 'alice-sub',
    thread = 't',
    key = `key-${++keys}`,
    scopes = [...SESSION_SCOPES] as string[],
    ...options
  }: Partial<WireOptions> & {
    person?: string;
    thread?: string;
    key?: string;
    scopes?: string[];
  } = {},
): Promise<string> {
  const begun = await personRuns(parts, person).begin(
    {
      ...{ id: `run_${keys}`, thread, client: 'trade-agent', idempotencyKey: key, input, scopes },
      options: { approval: 'wait', ...options },
    },
    systemClock.now(),
  );
  if (begun.outcome === 'full') throw new Error('there are too many');
  return begun.run.id;
}

export async function watched(
  parts: ServerDeps,
  run: string,
  { person = 'alice-sub', from = 0, onEvent = (_: AgentEvent): void => undefined, ms = 20_000 } = {},
): Promise<{ readonly events: AgentEvent[]; readonly result: RunResult }> {
  const events: AgentEvent[] = [];
  const signal = AbortSignal.timeout(ms);
  for await (const batch of followRunEvents(personRuns(parts, person), run, from, { ...parts, signal })) {
    for (const { event } of batch as { event: AgentEvent }[]) {
      events.push(event);
      onEvent(event);
    }
  }
  const last = events.at(-1);
  if (last?.type !== 'result') throw new Error(`the run told no result: ${JSON.stringify(events)}`);
  return { events, result: last.result };
}

export type { JobQueue };
