import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { worldClock } from '../../e2e/world-clock.ts';
import { type LoadWorld, oneGateway, startLoadWorld } from '../../load/world.ts';

/** The gateway's process has a wrong clock; everybody else has the true time. */

const ORDERS = 40;
/** How many orders are proposed and approved at once. */
const AT_ONCE = 4;

let folder: string;
let world: LoadWorld | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-gateway-clock-'));
});
afterEach(async () => {
  await world?.close();
  world = undefined;
  rmSync(folder, { recursive: true });
});

const clockOff = (seconds: number) => {
  const clock = worldClock(join(folder, 'clock.json'));
  const set = (off: number) => clock.set(Date.now() + off * 1000);
  set(seconds);
  return { env: clock.env, set };
};

/** Proposes an order, taps it at once, and waits for what becomes of it. @param beforeTap what happens in between */
async function orderApproved(
  { propose, next, phone, questionOf }: LoadWorld,
  number: number,
  beforeTap = () => {},
): Promise<string> {
  let proposal = await propose((0.01 + number / 10_000).toFixed(4), `clock-${number}`);
  while (proposal.state === 'drafted') proposal = await next(proposal);
  beforeTap();
  await phone.decide(questionOf(proposal.id), 'approve');
  while (['requested', 'approved', 'executing'].includes(proposal.state)) proposal = await next(proposal);
  return `${proposal.state}${proposal.reason === undefined ? '' : `: ${proposal.reason.text}`}`;
}

async function ordersApproved(world: LoadWorld, count: number): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  let next = 1;
  const one = async () => {
    while (next <= count) {
      const end = await orderApproved(world, next++);
      ends[end] = (ends[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return ends;
}

async function readiness({ gatewayUrl }: LoadWorld) {
  const answer = await fetch(`${gatewayUrl}/readyz`);
  return (await answer.json()) as { clock_ahead_seconds: { provider: number } };
}

it.each([-45, -10, 45, 300])(
  'places every approved order while the gateway’s clock is off by %s seconds',
  async (seconds) => {
    const { env } = clockOff(seconds);
    world = await startLoadWorld({ startGateway: () => oneGateway(env) });
    expect(await ordersApproved(world, ORDERS)).toEqual({ executed: ORDERS });
    expect(new Set(world.ordered()).size).toBe(ORDERS);
    const { clock_ahead_seconds: ahead } = await readiness(world);
    expect(Math.abs(ahead.provider - seconds)).toBeLessThanOrEqual(1);
  },
  120_000,
);

it('places an approved order whatever the gateway’s clock is set to while the phone is asked', async () => {
  const { env, set } = clockOff(0);
  world = await startLoadWorld({ startGateway: () => oneGateway(env) });
  const ends: string[] = [];
  for (const seconds of [-10, -45, 0, 45, 300, 0]) {
    ends.push(await orderApproved(world, ends.length, () => set(seconds)));
  }
  expect(ends).toEqual(ends.map(() => 'executed'));
}, 120_000);
