import { describe, expect, it } from 'vitest';
import { ServerLog } from '../../../../src/app/gateway/server-log.ts';
import { runInLogContext } from '../../../../src/machine/log-context.ts';

const at = '2026-01-02T03:04:05.000Z';
const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

function logging(format: 'text' | 'json') {
  const lines: string[] = [];
  const clock = { now: () => Date.parse(at) };
  const log = new ServerLog({ process: 'gateway', format, write: (line) => lines.push(line), clock });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') };
}

const request = {
  ...{ at, request_id: 'r1', trace_id: trace.traceId, method: 'GET', path: '/v1/orders', duration_ms: 7 },
  ...{ code: 'token_missing', sub: 'alice' },
};

describe('a log as JSON', () => {
  it('has an object a line, with what is known of the request, the proposal and the tenant', () => {
    const { log, lines, last } = logging('json');
    runInLogContext({ request_id: 'r1', trace, proposal: 'pr_1' }, () => log.ofTenant('acme').error('no\nway'));
    expect(last()).toEqual({
      ...{ time: at, level: 'error', msg: 'no\nway', process: 'gateway', tenant: 'acme' },
      ...{ request_id: 'r1', trace_id: trace.traceId, proposal: 'pr_1' },
    });
    log.tell('warning: the certificate has expired');
    expect(last()).toEqual({ time: at, level: 'warn', msg: 'the certificate has expired', process: 'gateway' });
    log.event('proposal approved', { proposal: 'pr_1' });
    expect(last()).toMatchObject({ level: 'info', msg: 'proposal approved', proposal: 'pr_1' });
    expect(lines.join('')).not.toContain('\n');
  });

  it.each([
    [200, 'info'],
    [401, 'warn'],
    [503, 'error'],
  ])('has requests that end with %s as %s', (status, level) => {
    const { log, last } = logging('json');
    log.request({ ...request, status });
    const { at: _, ...facts } = request;
    expect(last()).toEqual({ time: at, level, msg: `GET /v1/orders ${status}`, process: 'gateway', status, ...facts });
  });

  it.each([
    ['account PA3ALICE01 has no entry in limits.yaml', 'account …CE01 has no entry in limits.yaml'],
    ['limits.yaml has an entry for PA3ALICE0I, but', 'limits.yaml has an entry for …CE0I, but'],
    ['order 1 in account 123456789: no', 'order 1 in account …6789: no'],
    ['GET https://b.example/v1/accounts/VA00001234/orders', 'GET https://b.example/v1/accounts/…1234/orders'],
    [`Bearer ${'a'.repeat(60)}`, 'Bearer [redacted]'],
    ['an account history', 'an account history'],
  ])('has no account number and no token: %s', (message, msg) => {
    const { log, last } = logging('json');
    log.error(message);
    expect(last().msg).toBe(msg);
  });
});

it('as text, it has the same lines as ever, and no events', () => {
  const { log, lines } = logging('text');
  log.error('a failure');
  log.request({ ...request, status: 401 });
  log.event('proposal approved', {});
  log.tell('Press Ctrl-C to stop.');
  expect(lines).toEqual([
    'gateway: a failure',
    `${at} GET /v1/orders 401 token_missing sub="alice" 7 ms`,
    'Press Ctrl-C to stop.',
  ]);
});
