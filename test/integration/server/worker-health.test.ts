import { afterEach, expect, it } from 'vitest';
import { type ServedTelemetry, serveTelemetry } from '../../../src/app/gateway/served-telemetry.ts';
import { systemClock } from '../../../src/machine/clock.ts';

let telemetry: ServedTelemetry;
afterEach(() => telemetry.close());

const ask = async (path: string) => {
  const response = await fetch(new URL(path, telemetry.url));
  return [response.status, await response.text()] as const;
};
const backlog = {
  jobs: [{ kind: 'run', waiting: 3, oldest: 12.5, running: 2 }],
  ...{ dead: 1, schedulesDue: 4, leases: [{ name: 'sweep', isHeld: true }] },
};

it('a process that answers no requests says beside its metrics how it is doing, and what waits for its like', async () => {
  telemetry = await serveTelemetry({ metrics_port: 0 }, systemClock);
  expect((await ask('/readyz'))[0]).toBe(404);
  const state = { isShut: false, store: async (): Promise<unknown> => 1, backlog: async () => backlog };
  telemetry.worker({ askStore: () => state.store(), isShut: () => state.isShut }, () => state.backlog());
  expect(await ask('/readyz')).toEqual([200, '{"status":"ok"}']);
  const told = (await ask('/metrics'))[1];
  for (const line of [
    /^trade_agent_jobs_waiting\{.*kind="run".*\} 3$/m,
    /^trade_agent_jobs_oldest\{.*kind="run".*\} 12.5$/m,
    /^trade_agent_jobs_running\{.*kind="run".*\} 2$/m,
    /^trade_agent_jobs_dead.* 1$/m,
    /^trade_agent_schedules_due.* 4$/m,
    /^trade_agent_backlog_read.* 1$/m,
    /^trade_agent_worker_lease\{.*name="sweep".*\} 1$/m,
  ])
    expect(told).toMatch(line);

  state.store = async () => {
    throw new Error('the database is away');
  };
  state.backlog = state.store as never;
  expect(await ask('/readyz')).toEqual([503, '{"status":"not ready","reason":"store"}']);
  expect((await ask('/healthz'))[0]).toBe(200);
  expect((await ask('/metrics'))[1]).toMatch(/^trade_agent_backlog_read.* 0$/m);
  state.isShut = true;
  expect(await ask('/readyz')).toEqual([503, '{"status":"not ready","reason":"closing"}']);
});
