import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForeignWorld, startForeignWorld } from '../approval/foreign-world.ts';

const MOST_OF_TOKEN = 20;
const MOST_OF_PERSON = 60;

let world: ForeignWorld;
let stop: AbortController;
/** A response that nobody holds is collected with its body, which ends its stream. */
let held: Response[];
beforeEach(async () => {
  world = await startForeignWorld();
  stop = new AbortController();
  held = [];
});
afterEach(async () => {
  stop.abort();
  await world.close();
});

const tokenOf = (sub: string, client_id = 'trade-agent') =>
  world.issuer.mint({ claims: { sub, client_id, scope: 'orders:read' } });
const open = async (token: string, signal = stop.signal) => {
  const response = await fetch(`${world.url}/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal,
  });
  held.push(response);
  return response;
};
const statuses = async (token: string, count: number): Promise<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const { status } of await Promise.all(Array.from({ length: count }, () => open(token)))) {
    found[status] = (found[status] ?? 0) + 1;
  }
  return found;
};

it('one token has so many streams open, and not more; one that ends makes room', async () => {
  const token = await tokenOf('alice');
  const first = new AbortController();
  expect((await open(token, first.signal)).status).toBe(200);
  expect(await statuses(token, 500)).toEqual({ 200: MOST_OF_TOKEN - 1, 429: 501 - MOST_OF_TOKEN });
  const refused = await open(token);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await refused.json()).toMatchObject({
    status: 429,
    code: 'too_many_open',
    detail: `this token already has ${MOST_OF_TOKEN} open streams`,
    hint: 'Close an open stream first.',
  });
  first.abort();
  await expect.poll(async () => (await open(token)).status).toBe(200);
});

it('nor has one person, by whatever tokens; another person’s are none of theirs', async () => {
  for (let token = 0; token < MOST_OF_PERSON / MOST_OF_TOKEN; token++) {
    expect(await statuses(await tokenOf('alice'), MOST_OF_TOKEN)).toEqual({ 200: MOST_OF_TOKEN });
  }
  const refused = await open(await tokenOf('alice'));
  expect(await refused.json()).toMatchObject({
    code: 'too_many_open',
    detail: `this person already has ${MOST_OF_PERSON} open streams`,
  });
  expect((await open(await tokenOf('bob'))).status).toBe(200);
});
