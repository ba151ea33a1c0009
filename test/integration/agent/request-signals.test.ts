import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { DpopProver } from '../../../src/auth/session/dpop-proof.ts';
import { sendToGateway } from '../../../src/auth/session/gateway-request.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createGatewayRequests } from '../../../src/tools/gateway/gateway-requests.ts';
import { held } from '../../collected.ts';
import { profileAt } from './session.ts';

const REQUESTS = 100;
const TIMEOUT_MS = 3_000;

/** With the client's and the session's timeouts. */
async function requestsTo(signal: AbortSignal) {
  const server = createServer((_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const prover: DpopProver = { proof: async () => '', rememberNonce: () => undefined };
  const fetchOfSession = (url: string, init: RequestInit) =>
    sendToGateway({
      ...{ fetch, prover, init, url: new URL(url), timeoutMs: TIMEOUT_MS },
      token: { value: 'TOKEN', type: 'bearer' },
    });
  const profile = profileAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return createGatewayRequests({ profile, fetch: fetchOfSession }, { signal, timeoutMs: TIMEOUT_MS });
}

it('a process that goes on asking the gateway keeps no signal of a request that is over', async () => {
  // As a command's: the person's own end of it, and what may end the part that asks.
  const signal = AbortSignal.any([new AbortController().signal, new AbortController().signal]);
  const gateway = await requestsTo(signal);
  const ask = async () => {
    for (let count = 0; count < REQUESTS; count++) await gateway.request('/v1/clock', {}, ['orders:read']);
    // The session's timers, of answers that are read by then, have run out.
    await systemClock.sleep(TIMEOUT_MS);
  };
  const before = await held(AbortSignal);
  await ask();
  expect((await held(AbortSignal)) - before).toBeLessThan(REQUESTS / 10);
});
