import { expect, it } from 'vitest';
import type { RemoteSchedule } from '../../../../src/agent/remote/protocol.ts';
import { createRemoteSchedules } from '../../../../src/agent/remote/remote-schedules.ts';
import type { Session } from '../../../../src/auth/session/session.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';

function refusing(refusal: HttpProblem) {
  const keys: string[] = [];
  const pauses: number[] = [];
  const session = {
    profile: { gateway: 'https://agent.example', server: 'https://agent.example' },
    fetch: async (_: string, init: RequestInit) => {
      keys.push(new Headers(init.headers).get('idempotency-key') ?? '');
      return Response.json(refusal.toProblem(), { status: refusal.status });
    },
  } as unknown as Session;
  const clock = { now: () => 0, monotonic: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
  const schedules = createRemoteSchedules(session, { clock, signal: new AbortController().signal });
  return { schedules, keys, pauses };
}
const due = { id: 's1', timeout_ms: 60_000, check: { suggest: false, approval: 'deny' } } as RemoteSchedule;

it('are asked for once more, under the same key, where the server is away for a moment', async () => {
  const { schedules, keys, pauses } = refusing(new HttpProblem(503, 'provider_unreachable', 'no connection'));
  await expect(schedules.run(due)).rejects.toMatchObject({
    details: { problem: 'provider_unreachable' },
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000]);
  expect(keys).toHaveLength(4);
  expect(new Set(keys).size).toBe(1);
});

it('say at once what the provider has against the server, and what to do next', async () => {
  const hint = 'Let the server’s client exchange tokens.';
  const { schedules, keys, pauses } = refusing(
    new HttpProblem(502, 'provider_error', 'no access to the gateway (unauthorized_client)', { hint }),
  );
  await expect(schedules.run(due)).rejects.toMatchObject({
    message: 'no access to the gateway (unauthorized_client)',
    hint,
    details: { problem: 'provider_error' },
  });
  expect(pauses).toEqual([]);
  expect(keys).toHaveLength(1);
});
