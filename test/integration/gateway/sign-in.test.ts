import { beforeEach, expect, it } from 'vitest';
import { limited } from './support/limited.ts';
import { startWorld, type World } from './support/world.ts';

/** An order with real money, with the fees that its approval must include. */
const live = { max_fees: '0.01' };

let world: World;
beforeEach(async () => {
  world = await startWorld({ environment: 'live', rules: limited({ live: { acr: 'phr' } }) });
});

it('with real money an order goes out by an approval whose token tells of the sign-in that is asked for', async () => {
  expect((await world.order(live, { acr: 'phr' })).status).toBe(201);
});

it.each<[string, Record<string, unknown>, string | null]>([
  ['tells of none', {}, null],
  ['tells of a weaker one', { acr: 'urn:example:password' }, 'urn:example:password'],
  ['tells of several, where there is one (RFC 9068 §2.2.1)', { acr: ['phr'] }, null],
  ['writes it otherwise', { acr: 'PHR' }, 'PHR'],
  ['tells how, and not how strongly', { amr: ['phr'] }, null],
])('one whose token %s is refused, and is in the log', async (_, claims, value) => {
  const refused = { reason: 'APPROVAL_NEEDS_STEP_UP', limit: 'phr', value };
  await world.refuses(world.order(live, claims), 403, 'policy_denied', refused);
  const { body } = await world.read('/v1/decisions?effect=deny&limit=1');
  expect(body).toMatchObject({
    decisions: [{ reasons: ['APPROVAL_NEEDS_STEP_UP'], facts: { more: { 'approval.acr': [value ?? ''] } } }],
  });
});
