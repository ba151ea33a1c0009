import { Hono } from 'hono';
import { expect, it, vi } from 'vitest';
import type { Authenticator } from '../../../../src/gateway/auth/authenticator.ts';
import { addHealthRoutes } from '../../../../src/gateway/routes/health.ts';

const open = { open: (handle) => async (c) => await handle(c) } as Pick<Authenticator, 'open'> as Authenticator;

function healthOf(version: () => Promise<number>, isShut = false): Hono {
  const app = new Hono();
  addHealthRoutes(app, open, { askStore: version, isShut: () => isShut });
  return app;
}

it.each([
  ['its store answers', async () => 3, false, 200, { status: 'ready' }],
  ['its store fails', () => Promise.reject(new Error('gone')), false, 503, { status: 'not ready', reason: 'store' }],
  ['it shuts down', async () => 3, true, 503, { status: 'not ready', reason: 'closing' }],
])('where %s', async (_, version, isShut, status, body) => {
  const app = healthOf(version, isShut);
  const ready = await app.request('/readyz');
  expect([ready.status, await ready.json()]).toEqual([status, body]);
  // It lives all the same: starting it again would help nobody.
  expect((await app.request('/healthz')).status).toBe(200);
});

it('does not wait for a store that says nothing', async () => {
  vi.useFakeTimers();
  try {
    const asked = healthOf(() => new Promise(() => {})).request('/readyz');
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await asked).status).toBe(503);
  } finally {
    vi.useRealTimers();
  }
});
