import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failedBeforeConnecting } from '../../../src/errors/never-connected.ts';

const failureOf = (url: string) =>
  fetch(url, { method: 'POST', body: 'order' }).then(
    () => undefined,
    (error: unknown) => error,
  );

/** A port on loopback that hangs up on whoever says something, or where nobody listens. */
async function portOf(kind: 'hangs up' | 'closed'): Promise<number> {
  const server = createServer((socket) => socket.once('data', () => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (kind === 'closed') await new Promise((resolve) => server.close(resolve));
  else onTestFinished(() => void server.close());
  return port;
}

/** As fetch reports it. */
const failed = (cause: unknown) => new TypeError('fetch failed', { cause });
const system = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

describe('a request', () => {
  it.each(['127.0.0.1', 'localhost'])('to a closed port of %s never left', async (host) => {
    expect(failedBeforeConnecting(await failureOf(`http://${host}:${await portOf('closed')}/`))).toBe(true);
  });

  it('to a name that does not exist never left', async () => {
    expect(failedBeforeConnecting(await failureOf('http://nowhere.invalid/'))).toBe(true);
  });

  it('whose connection could not be made in time never left', () => {
    const cause = Object.assign(new Error('timed out'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
    expect(failedBeforeConnecting(failed(cause))).toBe(true);
  });

  it('whose connection broke under it may have arrived', async () => {
    expect(failedBeforeConnecting(await failureOf(`http://127.0.0.1:${await portOf('hangs up')}/`))).toBe(false);
  });

  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])(
    'may have arrived where its connection ended by %s, not where it never began',
    (code) => {
      expect(failedBeforeConnecting(failed(system(code, 'read')))).toBe(false);
      expect(failedBeforeConnecting(failed(system(code, 'write')))).toBe(false);
      expect(failedBeforeConnecting(failed(system(code, 'connect')))).toBe(true);
    },
  );

  it('may have arrived where one of several addresses took it', () => {
    const both = [system('ECONNREFUSED', 'connect'), system('ECONNRESET', 'read')];
    expect(failedBeforeConnecting(failed(new AggregateError(both)))).toBe(false);
  });

  it('that failed for a reason nobody knows may have arrived', () => {
    expect(failedBeforeConnecting(failed(undefined))).toBe(false);
    expect(failedBeforeConnecting(failed(new AggregateError([])))).toBe(false);
    expect(failedBeforeConnecting('odd')).toBe(false);
  });
});
