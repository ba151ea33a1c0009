import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { parseAccessToken } from '../../../src/auth/session/access-token.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { asHere } from '../../shipped/modules.ts';
import { createWorld, type World } from './identity-provider-world.ts';

// `npm run test:session` has 20 processes and 50 expiries; `npm run test:all` a few, which is enough to notice a broken lock.
const PROCESSES = Number(process.env.SESSION_PROCESSES ?? 4);
const EXPIRIES = Number(process.env.SESSION_EXPIRIES ?? 2);
const SEED = Number(process.env.SESSION_SEED ?? (EXPIRIES < 10 ? 2 : Date.now() % 2 ** 31));

/** A machine under load is slow. */
const ROUND_LIMIT_MS = 90_000;

/** Where in a renewal a process is killed. */
const killPoints = ['as it asks', 'as it is answered', 'none', 'none'] as const;

interface Driver {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Interface;
}

/** One use of a refresh token, by its hash. */
interface Use {
  readonly driver: string;
  readonly token: string;
}

let world: World;
const drivers = new Set<Driver>();
afterEach(async () => {
  for (const { child } of drivers) child.kill('SIGKILL');
  drivers.clear();
  await world.close();
});

it(
  `${PROCESSES} processes share one rotating session through ${EXPIRIES} expiries and random kills (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED);
    const uses: Use[] = [];
    const killed = new Set<string>();
    let plan: (typeof killPoints)[number] = 'none';

    const kill = (pid: string) => {
      plan = 'none';
      killed.add(pid);
      process.kill(Number(pid), 'SIGKILL');
    };
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      const driver = request.headers['x-driver']?.toString();
      const token = request.headers['x-refresh-token']?.toString();
      if (driver === undefined || token === undefined) return;
      uses.push({ driver, token });
      // The provider goes on with the request either way, so the token is spent.
      if (plan === 'as it asks') kill(driver);
      if (plan === 'as it is answered') response.once('finish', () => kill(driver));
    };
    world = await createWorld({ refreshTokenReuse: 'until_confirmed', onRequest });
    await world.login();
    while (drivers.size < PROCESSES) startDriver();

    let exchanges = 0;
    for (let expiry = 0; expiry < EXPIRIES; expiry++) {
      await expire();
      plan = killPoints[Math.floor(random() * killPoints.length)] ?? 'none';
      const before = { uses: uses.length, killed: killed.size };
      const outcomes = await Promise.all([...drivers].map(round));
      const kills = killed.size - before.killed;
      exchanges += uses.length - before.uses;
      // Whoever lives got its answer: nobody was signed out, or told to wait.
      expect(outcomes.filter((outcome) => outcome !== 'killed')).toEqual(
        Array.from({ length: PROCESSES - kills }, () => '200'),
      );
      // One renewal serves all; each kill costs one more at most.
      expect(uses.length - before.uses).toBeGreaterThanOrEqual(1);
      expect(uses.length - before.uses).toBeLessThanOrEqual(1 + kills);
      while (drivers.size < PROCESSES) startDriver();
    }

    // A token was used twice only where its first user was killed before it could keep the answer.
    for (const [index, { token }] of uses.entries()) {
      const earlier = uses.slice(0, index).find((use) => use.token === token);
      if (earlier !== undefined) expect(killed).toContain(earlier.driver);
    }
    // What is stored at the end is good.
    await expire();
    const session = await openSession(world);
    expect((await session?.fetch(`${world.profile.gateway}/v1/clock`, {}, ['market:read']))?.status).toBe(200);
    process.stdout.write(`${exchanges} renewals, ${killed.size} kills\n`);
  },
  EXPIRIES * ROUND_LIMIT_MS,
);

function startDriver(): void {
  const program = fileURLToPath(new URL('./storm-driver.ts', import.meta.url));
  const { profile, home } = world;
  const child = spawn(process.execPath, [...asHere, program, JSON.stringify({ profile, home })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const driver = { child, lines: createInterface({ input: child.stdout }) };
  drivers.add(driver);
  child.once('exit', () => drivers.delete(driver));
}

/** One round of one process: its outcome, or that it was killed. */
async function round({ child, lines }: Driver): Promise<string> {
  const signal = AbortSignal.timeout(ROUND_LIMIT_MS);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const answered = once(lines, 'line', { signal: either }).then(([line]) => String(line));
  const ended = once(child, 'exit', { signal: either }).then(() => 'killed');
  child.stdin.write('go\n');
  try {
    return await Promise.race([answered, ended]);
  } finally {
    stop.abort();
    answered.catch(() => undefined);
    ended.catch(() => undefined);
  }
}

/** The stored access token comes to its end. */
async function expire(): Promise<void> {
  const { access_token } = await world.store.get(['access_token'], { fresh: true });
  const token = parseAccessToken(access_token);
  if (token === undefined) return;
  await world.store.set({ access_token: JSON.stringify({ ...token, expiresAt: Date.now() }) });
}
