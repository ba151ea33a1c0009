import { afterEach, beforeEach, expect, it } from 'vitest';
import { limited } from './support/limited.ts';
import { expectRefusal, startWorld, type World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ environment: 'live', rules: limited({ live: { acr: 'phr' } }) });
});
afterEach(() => world.close());

const place = async (claims: Record<string, unknown>) => {
  const draft = world.draft();
  return await world.place(draft, await world.approve(draft, { claims }));
};

it('with real money an order goes out by an approval whose token tells of the sign-in that is asked for', async () => {
  expect((await place({ acr: 'phr' })).status).toBe(201);
});

it.each<[string, Record<string, unknown>, string | null]>([
  ['tells of none', {}, null],
  ['tells of a weaker one', { acr: 'urn:example:password' }, 'urn:example:password'],
  ['tells of several, where there is one (RFC 9068 §2.2.1)', { acr: ['phr'] }, null],
  ['writes it otherwise', { acr: 'PHR' }, 'PHR'],
  ['tells how, and not how strongly', { amr: ['phr'] }, null],
])('one whose token %s is refused, and is in the log', async (_, claims, value) => {
  const refused = { reason: 'APPROVAL_NEEDS_STEP_UP', limit: 'phr', value };
  await expectRefusal(world, await place(claims), 403, 'policy_denied', refused);
  const read = await world.get('/v1/decisions?effect=deny&limit=1', await world.reader('orders:read'));
  expect(await read.json()).toMatchObject({
    decisions: [{ reasons: ['APPROVAL_NEEDS_STEP_UP'], facts: { more: { 'approval.acr': [value ?? ''] } } }],
  });
});
