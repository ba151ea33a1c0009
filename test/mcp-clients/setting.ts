import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHomeWorld, type HomeWorld, type PairedPhone } from '../e2e/home-world.ts';
import { openTerminal } from '../e2e/tmux.ts';
import { type WorldClock, worldClock } from '../e2e/world-clock.ts';
import type { ClientDriver, Setting } from './driver.ts';
import { type ModelServer, startModelServer } from './model/server.ts';
import { type Person, playPerson } from './person.ts';
import { hearRevisions } from './revisions.ts';

export interface Stage extends Setting {
  readonly phone: PairedPhone;
  readonly person: Person;
  readonly server: ModelServer;
  readonly clock: WorldClock;
  restart(): Promise<void>;
  revisions(): string[];
  close(): Promise<void>;
}

const LIMIT_MS = 200_000;

export async function createStage(driver: ClientDriver, command: string): Promise<Stage> {
  const own = mkdtempSync(join(tmpdir(), 'mcp-clients-'));
  const clock = worldClock(join(own, 'clock'));
  clock.set(Date.now());
  const revisions = hearRevisions();
  const documents = `--import ${new URL('known-documents.mjs', import.meta.url).href}`;
  const options = [clock.env.NODE_OPTIONS, documents, revisions.preload].join(' ');
  const world = await createHomeWorld(undefined, {
    env: { ...clock.env, ...revisions.env, NODE_OPTIONS: options },
  });
  await world.init();
  let stop = await world.serve();
  const phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  const person = await playPerson(world, phone);
  const server = await startModelServer();
  const folder = join(world.folder, 'work');
  mkdirSync(folder);
  const env = {
    ...{ HOME: world.folder, USER: 'ada', LANG: 'C.UTF-8', TERM: 'xterm-256color' },
    ...person.env,
    ...driver.env?.({ model: server.url, clock: clock.env }),
  };
  const running = new Set<ChildProcess>();
  return {
    ...{ world, phone, person, server, clock, env, folder, command },
    endpoint: `${world.address}/mcp`,
    model: server.url,
    install: (client) => installIn(world, client, '--remote'),
    async restart() {
      await stop();
      stop = await world.serve();
    },
    revisions: () => revisions.heard(),
    run: (args, { terminal = false } = {}) =>
      runClient(terminal ? inTerminal(command, args) : [command, ...args], { env, folder, running }),
    async chat(args, talk) {
      const words = [command, ...args].map((word) => `'${word}'`).join(' ');
      const terminal = openTerminal({
        command: ['sh', '-c', `cd '${folder}' && exec ${words}`],
        env,
        columns: 120,
        rows: 40,
      });
      return talk(terminal);
    },
    async close() {
      for (const child of running) child.kill('SIGKILL');
      server.close();
      await person.close();
      await world.close();
      revisions.close();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

export async function installIn(world: HomeWorld, client: string, ...how: string[]): Promise<void> {
  const { state } = await world.json<{ state: string }>('mcp', 'install', client, ...how, '--yes');
  if (state !== 'written') throw new Error(`mcp install: ${state}`);
}

/** Some open no browser without a terminal; util-linux has one. */
const inTerminal = (command: string, args: readonly string[]) => [
  'script',
  ...['--quiet', '--return', '--command', [command, ...args].map((word) => `'${word}'`).join(' ')],
  '/dev/null',
];

function runClient(
  [command = '', ...args]: readonly string[],
  { env, folder, running }: { env: NodeJS.ProcessEnv; folder: string; running: Set<ChildProcess> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      if (code === 0) resolve(said);
      else reject(new Error(`"${[command, ...args].join(' ')}" ended with ${code}; it said:\n${said}`));
    });
  });
}
