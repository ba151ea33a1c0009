import { describe, expect, it } from 'vitest';
import { clockWarning, createClockComparison } from '../../../../src/auth/provider/provider-clock.ts';

const SERVER = Date.parse('2026-11-25T12:00:00Z');

async function skew(machine: number, answerTakes = 0, date: string | undefined = new Date(SERVER).toUTCString()) {
  let now = machine;
  const clocks = createClockComparison(
    async () => {
      now += answerTakes;
      return new Response('', date === undefined ? {} : { headers: { date } });
    },
    { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
  );
  await clocks.fetch('https://id.example');
  return clocks.skew();
}

describe('two clocks', () => {
  it.each([
    ['alike', 0, 0],
    ['alike within the header’s whole second', 900, 0],
    ['ahead', 45_000, 44],
    ['behind', -45_000, -45],
  ])('%s', async (_how, difference, seconds) => {
    expect(await skew(SERVER + difference)).toBe(seconds);
  });

  it('are not apart because an answer took long', async () => {
    expect(await skew(SERVER - 20_000, 30_000)).toBe(0);
  });

  it('are what earlier answers said of them, where a slow one says less', async () => {
    let now = SERVER + 45_000;
    const send: typeof fetch = async () => {
      now += 30_000;
      return new Response('', { headers: { date: new Date(SERVER + 30_000).toUTCString() } });
    };
    const clocks = createClockComparison(
      send,
      { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
      44,
    );
    await clocks.fetch('https://id.example');
    expect(clocks.skew()).toBe(44);
  });

  it('are not apart because an answer lay in a cache', async () => {
    const date = new Date(SERVER - 600_000).toUTCString();
    const send = async () => new Response('', { headers: { date, age: '600' } });
    const clocks = createClockComparison(send, {
      now: () => SERVER,
      monotonic: () => SERVER,
      sleep: () => Promise.resolve(),
    });
    await clocks.fetch('https://id.example');
    expect(clocks.skew()).toBe(0);
  });

  it('are taken to be alike where the server tells no time, or nonsense', async () => {
    expect(await skew(0, 0, '')).toBe(0);
    expect(await skew(0, 0, 'soon')).toBe(0);
  });

  it('are worth a word only when it could do harm', () => {
    expect([0, 19, -19].map(clockWarning)).toEqual([undefined, undefined, undefined]);
    expect(clockWarning(45)).toContain('45 seconds ahead of');
    expect(clockWarning(-45)).toContain('45 seconds behind');
  });
});
