import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { createLocalJWKSet, decodeProtectedHeader, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { genericGrantRequest, refreshTokenGrant } from 'openid-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import {
  loadProviderKeys,
  PUBLISH_AFTER_MS,
  PUBLISH_AHEAD_MS,
  SIGNING_PERIOD_MS,
} from '../../../src/store/home/provider-keys.ts';
import { prepareProviderDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { EXCHANGE, refusal, signIn, startIdentityProvider, type World } from '../sandbox/identity-provider-fixture.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-03-01T08:00:00Z');
/** No token lives longer. */
const LONGEST_TOKEN = 10 * 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-rotation-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** The keys as a process has them that is started again each time it is asked. */
async function keysAt(at: number) {
  const database = prepareProviderDatabase(new Database(join(folder, 'provider.db')));
  const { signing } = await loadProviderKeys(createSqliteTransactions(database), () => at);
  const set = await signing.current();
  database.close();
  return set;
}

const published = (keys: readonly JWK[]) => createLocalJWKSet({ keys: keys.map(({ d: _, ...jwk }) => jwk) });

describe('the signing keys over 200 days', () => {
  for (const [how, step] of [
    ['looked at every eight hours', 8 * 3_600_000],
    ['looked at every other day', 2 * DAY],
  ] as const) {
    it(`give way to each other in time, with a restart at each step, ${how}`, async () => {
      const firstSeen = new Map<string, number>();
      const signedFrom = new Map<string, number>();
      const tokens: { token: string; at: number }[] = [];
      for (let at = START; at <= START + 200 * DAY; at += step) {
        const { keys } = await keysAt(at);
        const [signing] = keys;
        if (signing?.kid === undefined) throw new Error('nothing signs');
        for (const { kid = '' } of keys) if (!firstSeen.has(kid)) firstSeen.set(kid, at);
        if (!signedFrom.has(signing.kid)) signedFrom.set(signing.kid, at);
        const isFirst = signedFrom.size === 1;
        // Whoever fetched our keys within the last day has the one that signs now.
        if (!isFirst) expect(at - (firstSeen.get(signing.kid) ?? at)).toBeGreaterThanOrEqual(PUBLISH_AHEAD_MS);
        // A day more where nobody was there to make the next one in time.
        expect(at - (signedFrom.get(signing.kid) ?? 0)).toBeLessThan(SIGNING_PERIOD_MS + PUBLISH_AHEAD_MS + step);
        expect(keys.length).toBeLessThanOrEqual(2);
        const token = await new SignJWT({ sub: 'alice' })
          .setProtectedHeader({ alg: 'ES256', kid: signing.kid })
          .sign(await importJWK(signing, 'ES256'));
        tokens.push({ token, at });
        // What was signed a moment before a change still counts after it.
        const justAfter = published((await keysAt(at + LONGEST_TOKEN)).keys);
        await jwtVerify(token, justAfter);
      }
      expect(signedFrom.size).toBe(3);
      const last = await keysAt(START + 200 * DAY + PUBLISH_AFTER_MS);
      expect(last.keys.map(({ kid }) => kid)).not.toContain(decodeProtectedHeader(tokens[0]?.token ?? '').kid);
    });
  }

  it('change at their times in a process that goes on', async () => {
    let now = START;
    const database = prepareProviderDatabase(new Database(':memory:'));
    const { signing } = await loadProviderKeys(createSqliteTransactions(database), () => now);
    const kids = async (at: number) => {
      now = START + at;
      return (await signing.current()).keys.map(({ kid }) => kid);
    };
    const [first] = await kids(0);
    expect(await kids(SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS - 1)).toEqual([first]);
    const [, second] = await kids(SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS);
    expect(await kids(SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS)).toEqual([first, second]);
    expect(await kids(SIGNING_PERIOD_MS - 1)).toEqual([first, second]);
    expect(await kids(SIGNING_PERIOD_MS)).toEqual([second, first]);
    expect(await kids(SIGNING_PERIOD_MS + PUBLISH_AFTER_MS - 1)).toEqual([second, first]);
    expect(await kids(SIGNING_PERIOD_MS + PUBLISH_AFTER_MS)).toEqual([second]);
    // A clock that is set back has the first key sign no more: it is gone.
    expect(await kids(SIGNING_PERIOD_MS - 1)).toEqual([second]);
    database.close();
  });

  it('are made again after a year’s stop, and the old one signs until the new one was seen for a day', async () => {
    const old = (await keysAt(START)).keys[0]?.kid;
    const back = START + 365 * DAY;
    expect((await keysAt(back)).keys.map(({ kid }) => kid)).toEqual([old, expect.any(String)]);
    expect((await keysAt(back + PUBLISH_AHEAD_MS - 1)).keys[0]?.kid).toBe(old);
    expect((await keysAt(back + PUBLISH_AHEAD_MS)).keys[0]?.kid).not.toBe(old);
  });
});

it('a gateway that runs on takes every key’s tokens, and a session outlives the change', async () => {
  const travel = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: START + ms });
  travel(0);
  const world = await startIdentityProvider();
  try {
    const gateway = createIdentityProvider({
      issuer: world.issuer,
      fetch,
      timeoutMs: 5000,
      clock: systemClock,
    });
    const kids: (string | undefined)[] = [];
    const shown: number[] = [];
    for (const [at, restart] of [
      [0, false],
      [SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS - 60_000, false],
      [SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS, true],
      [SIGNING_PERIOD_MS - 1000, false],
      [SIGNING_PERIOD_MS + 1000, false],
      [SIGNING_PERIOD_MS + PUBLISH_AFTER_MS + 1000, true],
      [2 * SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS, false],
      [2 * SIGNING_PERIOD_MS + 1000, true],
      [200 * DAY, false],
    ] as const) {
      travel(at);
      if (restart) await world.restart();
      const { tokens, config, dpop } = await signIn(world);
      await jwtVerify(tokens.access_token, gateway.key, { currentDate: new Date(Date.now()) });
      await jwtVerify(tokens.id_token ?? '', gateway.key, { currentDate: new Date(Date.now()) });
      await refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, dpop);
      // The provider takes its own tokens too, at the token exchange.
      expect(await refusal(exchange(world, tokens.access_token))).toBe('invalid_target');
      kids.push(decodeProtectedHeader(tokens.access_token).kid);
      const jwks = (await (await fetch(`${world.issuer}/jwks`)).json()) as { keys: JWK[] };
      expect(jwks.keys.every((key) => key.d === undefined)).toBe(true);
      shown.push(jwks.keys.length);
    }
    expect(kids.map((kid) => [...new Set(kids)].indexOf(kid))).toEqual([0, 0, 0, 0, 1, 1, 1, 2, 2]);
    expect(shown).toEqual([1, 1, 2, 2, 2, 1, 2, 2, 1]);
    expect(world.problems).toEqual([]);
  } finally {
    vi.useRealTimers();
    await world.close();
  }
});

async function exchange(world: World, token: string) {
  return await genericGrantRequest(await world.gatewayClient(), EXCHANGE, {
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'nothing',
  });
}
