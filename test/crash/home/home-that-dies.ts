import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type OpenHome, withHome } from '../../../src/app/home/open-home.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createHomeWorld, type HomeWorld } from '../../e2e/home-world.ts';
import { ScriptFaults } from '../../e2e/script-session.ts';
import { compiledCode, type Finished } from '../../e2e/world.ts';
import type { Failpoint } from '../failpoints.ts';

const launcher = new URL('../trade-agent.mjs', import.meta.url).pathname;

/** A home, and the commands beside it, that die where they are told to. */
export interface HomeThatDies extends HomeWorld {
  /** Runs a command that dies at this place; by kill -9, or the test fails. */
  commandDies(at: Failpoint | `${Failpoint}@${number}`, ...args: string[]): Promise<void>;
  /** Does something of which the served home dies, and serves it again; `then` is where it dies once more. */
  servedDies(at: Failpoint, work: () => Promise<unknown>, then?: Failpoint): Promise<void>;
  /** What the folder holds, read past the home that is served. */
  inside<T>(work: (home: OpenHome) => Promise<T>, folder?: string): Promise<T>;
  /** The key pairs of the broker that stand in plain in a file of the home's or the agent's, or beside them. */
  plainSecrets(): string[];
  /** A file with a person's key pair, for a command; gone before anything is looked at. */
  keyFile(person: number): string;
}

export async function createHomeThatDies(): Promise<HomeThatDies> {
  const faults = new ScriptFaults();
  let armed = '';
  const world = await createHomeWorld(faults, {
    launcher,
    env: {
      XDG_CACHE_HOME: compiledCode('dist-failpoints'),
      get TRADE_AGENT_FAILPOINT() {
        return `@${armed}`;
      },
    },
  });
  const keys = join(world.folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  armed = join(world.folder, 'failpoint');
  let orders = 0;
  // Blanks make it another order: passings are counted from here on.
  const arm = (failpoint: string) => writeFileSync(armed, `${failpoint}${' '.repeat(++orders)}`);
  arm('');
  const dead = (at: Failpoint, { stderr }: Finished) => expect(stderr).toContain(`failpoint ${at}: kill`);
  return {
    ...world,
    async init() {
      await world.init();
      // The same order at once again, any number of times, far above the price.
      writeFileSync(join(world.home, 'limits.yaml'), 'version: 1\naccounts:\n  "*": {max_order_notional: "2500"}\n');
    },
    async commandDies(at, ...args) {
      const [name, nth = '1'] = at.split('@');
      arm(`${name}=kill@${nth}`);
      const command = world.start(...args);
      dead(name as Failpoint, await command.finished);
      expect(command.child.signalCode).toBe('SIGKILL');
      arm('');
    },
    async servedDies(at, work, then) {
      arm(`${at}=kill`);
      // Whoever was at it gets no answer.
      await work().catch(() => undefined);
      expect(await within(world.ended(), 20_000, `${at} was not reached`)).toBe('SIGKILL');
      if (then !== undefined) {
        arm(`${then}=kill`);
        // It may be over before anybody is told that it serves.
        await world.serve().catch(() => undefined);
        expect(await within(world.ended(), 60_000, `${then} was not reached`)).toBe('SIGKILL');
      }
      arm('');
      await world.serve();
    },
    inside: (work, folder = world.home) => withHome({ clock: systemClock, env: process.env }, folder, work),
    plainSecrets() {
      const texts = readdirSync(world.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/^(?:sandbox|keys)/.test(relativeTo(world.folder, entry)))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      return world.sandbox.seed.users
        .flatMap(({ broker_key }) => [broker_key.secret, broker_key.key_id])
        .filter((secret) => texts.some((text) => text.includes(secret)));
    },
    keyFile(person) {
      const pair = world.sandbox.seed.users[person]?.broker_key;
      const file = join(keys, `${person}.txt`);
      writeFileSync(file, `${pair?.key_id}\n${pair?.secret}\n`, { mode: 0o600 });
      return file;
    },
  };
}

const relativeTo = (folder: string, entry: { readonly parentPath: string; readonly name: string }) =>
  join(entry.parentPath, entry.name).slice(folder.length + 1);

async function within<T>(promise: Promise<T>, ms: number, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
