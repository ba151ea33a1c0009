import { afterAll, afterEach, beforeAll, expect, onTestFinished, vi } from 'vitest';
import {
  type ApprovalClient,
  refusal,
  registerApprovalClient,
  startIdentityProvider,
  type World,
} from './identity-provider-fixture.ts';
import { type GatewayAsking, gatewayAsking } from './proposal-fixture.ts';

type Options = Parameters<typeof startIdentityProvider>[0];

/** The identity provider of the file that runs, an approval client of Alice's there, and the gateway. */
export let world: World;
export let approval: ApprovalClient;
export let gateway: GatewayAsking;

/** Starts it for all tests of a file; by the end nothing has gone wrong inside. */
export function withProvider(options: () => Options = () => ({})): void {
  beforeAll(async () => {
    world = await startIdentityProvider(options());
    approval = await registerApprovalClient(world);
    gateway = await gatewayAsking(world);
  });
  afterEach(() => vi.useRealTimers());
  afterAll(async () => {
    await world.close();
    expect(world.problems).toEqual([]);
  });
}

export async function ownProvider(options: Options = {}): Promise<World> {
  const own = await startIdentityProvider(options);
  onTestFinished(() => own.close());
  return own;
}

export async function waiting(user = 'alice', at = world): Promise<string> {
  const request = (await at.phone.requests(user)).at(-1);
  if (request === undefined) throw new Error('nothing is waiting');
  return request.id;
}

export const decide = async (decision: 'approve' | 'deny' = 'approve', at = world) =>
  at.phone.decide(await waiting('alice', at), decision);

export async function denyAll(): Promise<void> {
  for (const user of ['alice', 'bob']) {
    for (const { id } of await world.phone.requests(user)) await world.phone.decide(id, 'deny');
  }
}

/** Moves only the date: timers and the network go on as they are. */
export function travel(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

export async function refused(call: Promise<unknown>, error: string, what?: string): Promise<void> {
  expect(await refusal(call), what).toBe(error);
}
