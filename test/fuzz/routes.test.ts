import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../integration/hostile/routes.ts';
import { forShare, like, text } from './support.ts';
import { type As, type FuzzedHome, openFuzzedHome, otherRoutes, soundBodies } from './targets/requests.ts';

let home: FuzzedHome;
beforeAll(async () => {
  home = await openFuzzedHome();
});
afterAll(() => home?.close());

const request = fc.record({
  to: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...routes.map(({ method, path }) => [method, path] as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('GET', 'POST'), fc.constantFrom(...otherRoutes)) },
  ),
  method: fc.option(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'), { freq: 8 }),
  id: fc.option(text, { freq: 3 }),
  query: fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          'for',
          'account',
          'symbols',
          'limit',
          'status',
          'since',
          'key',
          'start',
          'end',
          'search',
          'client_order_id',
        ),
        text,
      ),
      text,
    ),
    { maxLength: 3 },
  ),
  body: fc.oneof(
    { weight: 6, arbitrary: like(...soundBodies).map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: text },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .array(
          fc.tuple(
            fc.constantFrom(
              'grant_type',
              'client_id',
              'scope',
              'login_hint',
              'authorization_details',
              'form_token',
              'assertion',
            ),
            text,
          ),
        )
        .map((form) => new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString()),
    },
  ),
  type: fc.constantFrom(
    'application/json',
    'application/json',
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain',
  ),
  /** By a sound token, as a home tells them apart. */
  as: fc.oneof({ weight: 5, arbitrary: fc.constant<As>('session') }, fc.constantFrom<As>('phone', 'browser', 'nobody')),
});

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function sent({ to: [usual, route], method, id, query, body, type, as }: Request) {
  const named = encodeURIComponent((id ?? 'nothing').toWellFormed());
  const [base = '', given = ''] = route.split('?');
  const path = base.includes('nothing') ? base.replace('nothing', named || 'x') : base;
  const parameters = new URLSearchParams(given);
  for (const [name, value] of query) parameters.append(name.toWellFormed(), value.toWellFormed());
  // A long poll is no hang; hostile.test.ts bounds it.
  parameters.delete('wait');
  const search = parameters.size === 0 ? '' : `?${parameters}`;
  return { method: method ?? usual, path: `${path}${search}`, as, type, body };
}

describe('any request', () => {
  it('is never answered by a server error or what is inside, and never becomes an order', async () => {
    const statuses = new Map<number, number>();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        // The terminal phone would approve.
        fc.pre(one.as !== 'phone' || !JSON.stringify(one.body).includes('approve'));
        const { status } = await home.answerTo(sent(one));
        count += 1;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
      forShare(0.25),
    );
    process.stdout.write(`${count} requests: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}\n`);
    home.requireNoOrder();
    // It did reach the routes, and not the door alone.
    for (const status of [200, 400, 401, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  });
});
