import { expect, it } from 'vitest';
import { createIdentityProvider } from '../../../../src/gateway/auth/identity-provider.ts';
import type { Clock } from '../../../../src/machine/clock.ts';

const ISSUER = 'https://id.example';

/** A gateway whose clock can be set, and a provider that always has the true time. */
function gatewayAndProvider() {
  let trueTime = Date.parse('2026-11-25T12:00:00Z');
  let ahead = 0;
  let requests = 0;
  const clock: Clock = {
    now: () => trueTime + ahead,
    monotonic: () => trueTime,
    sleep: () => Promise.resolve(),
  };
  const send: typeof fetch = async () => {
    requests += 1;
    return new Response('', { status: 500, headers: { date: new Date(trueTime).toUTCString() } });
  };
  const { time } = createIdentityProvider({ issuer: ISSUER, fetch: send, timeoutMs: 1_000, clock });
  if (time === undefined) throw new Error('no time');
  return {
    time,
    setAhead: (seconds: number) => {
      ahead = seconds * 1000;
    },
    wait: (seconds: number) => {
      trueTime += seconds * 1000;
    },
    requests: () => requests,
  };
}

it('the provider’s time is read again at once if this machine’s clock was set', async () => {
  const { time, setAhead, requests } = gatewayAndProvider();
  setAhead(300);
  expect(await time.compare(time.secondsAhead())).toBe(true);
  // The Date header has whole seconds.
  expect([299, 300]).toContain(time.secondsAhead());
  setAhead(0);
  expect(await time.compare(time.secondsAhead())).toBe(true);
  expect(time.secondsAhead()).toBe(0);
  expect(requests()).toBe(2);
});

it('the provider’s time is read at most every ten seconds if the clock runs on', async () => {
  const { time, wait, requests } = gatewayAndProvider();
  await time.compare(0);
  wait(9);
  await time.compare(0);
  expect(requests()).toBe(1);
  wait(2);
  await time.compare(0);
  expect(requests()).toBe(2);
});

it('a change that another request noticed counts', async () => {
  const { time, setAhead } = gatewayAndProvider();
  const before = time.secondsAhead();
  setAhead(45);
  await time.compare(before);
  expect(await time.compare(before)).toBe(true);
});
