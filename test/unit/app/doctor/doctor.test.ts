import { describe, expect, it } from 'vitest';
import { checkNode } from '../../../../src/app/doctor/doctor.ts';
import { createClockFinding, createGatewayClockFinding } from '../../../../src/app/doctor/server-checks.ts';

const noon = Date.parse('2026-11-25T12:00:00Z');
const at = (seconds: number) => createClockFinding(new Date(noon).toUTCString(), noon + 500 + seconds * 1000);

describe('the doctor', () => {
  it.each([
    [0, 'ok'],
    [20, 'ok'],
    [-20, 'ok'],
    [21, 'warn'],
    [-59, 'warn'],
    [60, 'fail'],
    [-3600, 'fail'],
  ])('finds a clock that is %d s off: %s', (seconds, status) => {
    expect(at(seconds)).toMatchObject({ status, details: { skew_seconds: seconds } });
  });

  it('says which way the clock is off, and how to set it', () => {
    expect(at(90)).toMatchObject({ message: expect.stringContaining('90 s ahead'), fix: expect.any(String) });
    expect(at(-90)).toMatchObject({ message: expect.stringContaining('90 s behind') });
  });

  it.each([null, 'yesterday'])('does not guess from a Date header of %s', (date) => {
    expect(createClockFinding(date, noon).status).toBe('skip');
  });

  it.each([
    [{ provider: 0 }, 'ok', "the gateway's clock is in sync with the provider's"],
    [{ provider: -1, database: 2 }, 'ok', "the gateway's clock is in sync with the provider's and its database's"],
    [{ provider: -45, database: 0 }, 'warn', "the gateway's clock is 45 s behind the provider's"],
    [
      { provider: 300, database: 299 },
      'warn',
      "the gateway's clock is 300 s ahead of the provider's and 299 s ahead of its database's",
    ],
  ])('reports the gateway’s clock: %j', (clock_ahead_seconds, status, message) => {
    expect(createGatewayClockFinding({ status: 'ready', clock_ahead_seconds })).toMatchObject({ status, message });
  });

  it.each([{ status: 'ready' }, 'a page', undefined])('says nothing of a gateway’s clock by %j', (said) => {
    expect(createGatewayClockFinding(said)).toBeUndefined();
  });

  it.each([
    ['20.20.2', 'fail'],
    ['22.13.0', 'fail'],
    ['22.14.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('finds Node %s: %s', (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });
});
