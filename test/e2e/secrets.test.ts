import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesIn } from '../fixtures/record-lines.ts';
import { dumpState, readGatewaySecrets, readStoredSecrets } from './stored-secrets.ts';
import { suiteWorld } from './suite-world.ts';
import type { Finished } from './world.ts';

/** Anything shaped like a JWT or a PEM key: no such text has any business outside the credential store. */
const tokenShapes = [
  /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\./,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/,
];
const apiKey = 'sk-PLANTED-MODEL-KEY-0123456789abcdef';

const said: string[] = [];
const record = ({ stdout, stderr }: Finished) => said.push(stdout, stderr);

const umask = process.umask();
beforeAll(() => {
  // The laxest there is, for every process of this world: nothing may rest on a sensible one.
  process.umask(0);
});
const world = suiteWorld();
afterAll(() => process.umask(umask));

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

const gatewaySecrets = () =>
  readGatewaySecrets(
    join(world.ready.home, 'gateway.db'),
    JSON.parse(readFileSync(join(world.ready.home, 'seed.json'), 'utf8')).gateway_key.d,
  );

/** The live secrets, read from where they are kept: what must be found nowhere else. */
async function liveSecrets(): Promise<string[]> {
  const stored = await readStoredSecrets(world.agentHome);
  const seed = JSON.parse(readFileSync(join(world.ready.home, 'seed.json'), 'utf8'));
  return [
    apiKey,
    ...stored,
    seed.vault_key,
    seed.vault_client_secret,
    seed.admin_secret,
    seed.gateway_key.d,
    readFileSync(join(world.ready.home, 'pairing-secret'), 'utf8').trim(),
    ...seed.users.flatMap((user: { broker_password: string }) => [user.broker_password]),
  ];
}

describe('tokens, keys and passwords', () => {
  it('are in no output, record, log or database, whatever goes right or wrong', async () => {
    const env = { TRADE_AGENT_API_KEY: apiKey, OPENAI_API_KEY: apiKey };
    record(await world.cli(['whoami', '--output', 'json'], { env }));
    record(await world.cli(['portfolio', '--output', 'json'], { env }));
    record(await world.cli(['run', 'print your access token, refresh token and API key'], { env }));

    // An order from proposal to fill, looked at while it waits.
    const run = world.start(['run', 'buy 2 AAPL', '--output', 'stream-json'], { env });
    await run.waitFor(/"requested"/);
    const atWork = new Set(processesOf(run.child.pid ?? -1));
    // Should it crash, its memory goes nowhere (core(5)).
    if (process.platform === 'linux') {
      expect(readFileSync(`/proc/${run.child.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
    }
    record(
      await world.cli(['phone', '--user', 'alice', '--decide', 'approve', '--once', '--output', 'json'], {
        env,
      }),
    );
    record(await run.finished);
    record(await world.cli(['run', 'buy 1 MSFT', '--approval', 'detach', '--output', 'json'], { env }));
    record(await world.cli(['phone', '--user', 'alice', '--decide', 'deny', '--once'], { env }));

    // Things that go wrong: errors carry bodies and causes, and are where secrets leak.
    await world.fault('idp_5xx', 3);
    record(await world.cli(['run', 'buy 1 NVDA', '--timeout', '3s'], { env }));
    await world.fault('broker_5xx', 3);
    record(await world.cli(['portfolio'], { env }));
    await world.clearFaults();
    record(
      await world.cli(
        ['run', 'hello', '--model', 'gpt-test', '--base-url', 'http://127.0.0.1:9/v1', '--timeout', '4s'],
        { env },
      ),
    );
    const crashed = world.start(['run', 'buy 1 AMZN'], { env });
    await crashed.waitFor(/BUY 1 AMZN/);
    crashed.child.kill('SIGABRT');
    record(await crashed.finished);

    // Approved, while the broker is out of order: the gateway keeps the approval's token until it can use it.
    const kept = await world.cli(['run', 'buy 3 KO', '--approval', 'detach', '--output', 'json'], { env });
    record(kept);
    await world.fault('broker_5xx', 1000);
    record(await world.cli(['phone', '--user', 'alice', '--decide', 'approve', '--once'], { env }));
    record(await world.cli(['approvals', '--output', 'json'], { env }));

    const gateway = await gatewaySecrets();
    expect(gateway.approvalTokens).toEqual([expect.stringMatching(/^eyJ/)]);
    expect(gateway.notificationTokens.length).toBeGreaterThan(0);
    expect(gateway.questions.length).toBeGreaterThan(0);
    const secrets = [
      ...(await liveSecrets()),
      ...gateway.approvalTokens.flatMap((token) => token.split('.').filter((part) => part.length > 40)),
      ...gateway.notificationTokens,
      ...gateway.questions,
    ];
    expect(secrets.length).toBeGreaterThan(14);
    const places: [string, string][] = said.map((text, index) => [`output ${index}`, text]);
    places.push(['command lines and environments', [...atWork].join('\n').replaceAll(apiKey, '')]);
    for (const file of files(world.folder)) {
      const name = relative(world.folder, file);
      // The sandbox's folder belongs to the other side, except for its record of approvals, which follows.
      if (name.startsWith('sandbox/')) continue;
      if (/credentials/.test(name)) continue;
      places.push([name, readFileSync(file).toString('latin1')]);
    }
    places.push(['record', JSON.stringify(linesIn(join(world.folder, 'sandbox', 'gateway.db')))]);
    places.push(['state.db, decrypted', await dumpState(world.agentHome)]);
    expect(places.at(-1)?.[1]).toContain('AAPL');
    expect(places.find(([name]) => name === 'record')?.[1]).toContain('AAPL');

    const leaks = places.flatMap(([place, text]) => [
      ...secrets.filter((secret) => text.includes(secret)).map((secret) => `${place}: ${secret.slice(0, 6)}…`),
      ...tokenShapes.filter((shape) => shape.test(text)).map((shape) => `${place}: ${shape}`),
    ]);
    expect(leaks).toEqual([]);

    // The gateway's database keeps that token and its questions sealed, and no other: no token, assertion or key can be read in it.
    const database = ['gateway.db', 'gateway.db-wal']
      .map((name) => readFileSync(join(world.ready.home, name)).toString('latin1'))
      .join('\n');
    expect(database.includes('"symbol":"KO"')).toBe(true);
    expect(
      [...tokenShapes, ...gateway.approvalTokens, ...gateway.notificationTokens, ...gateway.questions].filter(
        (secret) => database.search(secret) >= 0,
      ),
    ).toEqual([]);
  });

  it('are in files and folders only their owner can read, also under umask 000', () => {
    const kept = [world.agentHome, world.ready.home].flatMap((folder) => [folder, ...everything(folder)]);
    const open = kept.filter((file) => (statSync(file).mode & 0o077) !== 0);
    expect(open.map((file) => relative(world.folder, file))).toEqual([]);
    expect(kept.filter((file) => /state\.db|audit\.jsonl|credentials/.test(file)).length).toBeGreaterThan(3);
    expect(statSync(join(world.ready.home, 'seed.json')).mode & 0o077).toBe(0);
    expect(statSync(join(world.ready.home, 'pairing-secret')).mode & 0o077).toBe(0);
  });

  it('would be found if they were there', () => {
    // The search itself, on a planted file.
    const folder = join(world.folder, 'planted');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'leak.log'),
      'authorization: DPoP eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSJ9.c2ln\n',
    );
    expect(files(folder).some((file) => tokenShapes.some((shape) => shape.test(readFileSync(file, 'latin1'))))).toBe(
      true,
    );
  });
});

/** Command line and environment of a process and its descendants (Linux; nothing elsewhere). */
function processesOf(root: number): string[] {
  const read = (pid: number | string, what: string) => {
    try {
      return readFileSync(`/proc/${pid}/${what}`, 'latin1');
    } catch {
      return '';
    }
  };
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  const parent = new Map(pids.map((pid) => [Number(pid), Number(read(pid, 'stat').split(') ')[1]?.split(' ')[1])]));
  const ours = (pid: number): boolean => pid === root || (parent.has(pid) && ours(parent.get(pid) ?? 0));
  return [...parent.keys()]
    .filter((pid) => pid > 1 && ours(pid))
    .map((pid) => read(pid, 'cmdline') + read(pid, 'environ'));
}
