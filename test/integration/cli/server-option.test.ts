import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import { PROTECTED_RESOURCE_PATH } from '../../../src/agent/remote/protocol.ts';
import { AgentServer } from '../agent/remote/agent-server.ts';
import { createWorld } from '../agent/world.ts';
import { newServer } from '../home/server-client.ts';
import { type CliWorld, openCliWorld } from './cli-world.ts';

let server: AgentServer;
let world: CliWorld;
let agent: Agent;
const inProfile = ['--profile', 'work'];

beforeAll(async () => {
  server = await new AgentServer(async () => agent).start();
  const { listed } = await newServer('agents', server.url);
  world = await openCliWorld({ servers: [listed] });
  server.also.set(PROTECTED_RESOURCE_PATH, () => ({
    resource: server.url,
    authorization_servers: [world.sandbox.ready.issuer],
    trade_agent_environment: 'paper',
  }));
});
afterAll(async () => {
  await world.close();
  await server.stop();
});
beforeEach(async () => {
  agent = await (await createWorld()).agent();
});

/** What lies in the agent's home. */
const files = () =>
  readdirSync(join(world.folder, 'agent'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.db$/.test(name));

describe('a server that was named is', () => {
  const cases: [string, string[], number, RegExp, RegExp][] = [
    ['unreachable', ['--server', 'http://127.0.0.1:9'], 1, /http:\/\/127\.0\.0\.1:9 can't be reached/, /--server/],
    ['without TLS', ['--server', 'http://agents.example'], 2, /not an https URL/, /servers on this machine/],
    ['no address', ['--server', 'agents'], 2, /not an https URL/, /https:\/\//],
    [
      'named beside a profile',
      ['--server', 'https://a.example', ...inProfile],
      2,
      /--server and --profile can't be combined/,
      /--profile/,
    ],
  ];
  it.each(cases)('%s: said, with what to do', async (_, args, exitCode, message, hint) => {
    const ended = await world.run(['run', 'what do I own', ...args]);
    expect(ended.exitCode, ended.stderr).toBe(exitCode);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).toMatch(hint);
  });

  it('another one’s, by what it says of itself, or none: not used', async () => {
    const other = await new AgentServer(async () => agent).start();
    const run = () => world.run(['run', 'x', '--server', other.url]);
    expect(await run()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('not a trade-agent server (HTTP status 404)'),
    });
    const said = { resource: server.url, authorization_servers: [world.sandbox.ready.issuer] };
    other.also.set(PROTECTED_RESOURCE_PATH, () => said);
    expect(await run()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('its metadata is for another resource'),
    });
    other.also.set(PROTECTED_RESOURCE_PATH, () => ({ ...said, resource: other.url }));
    expect(await run()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('does not say whether it is paper or live'),
    });
    await other.stop();
  });
});

describe('a profile of a server', () => {
  it('is made of its address alone, signed in to, and worked with as any other; nothing is kept here', async () => {
    const named = ['profile', 'add', 'work', '--server', server.url];
    const added = await world.run([...named, '--credential-store', 'file']);
    expect(added.exitCode, added.stderr).toBe(0);
    expect(readFileSync(join(world.folder, 'agent', 'config.yaml'), 'utf8')).toContain(`server: ${server.url}`);

    const stranger = await world.run(['run', 'what do I own', ...inProfile]);
    expect(stranger.exitCode).toBe(4);
    expect(stranger.stderr).toContain('trade-agent login --profile work');

    await world.login('alice', inProfile);
    const owned = await world.run(['run', 'what do I own', ...inProfile]);
    expect(owned.exitCode, owned.stderr).toBe(0);
    expect(owned.stdout).toContain('MSFT');
    const asked = await world.json('run', 'buy 5 AAPL limit 180', '--approval', 'detach', ...inProfile);
    expect(asked.exitCode, asked.stderr).toBe(5);
    const { thread, approvals, resume } = asked.body;
    expect(resume).toBe(`trade-agent resume ${thread} --profile work`);
    const threads = await world.run(['threads', ...inProfile]);
    expect(threads.stdout).toContain(thread);
    const cancelled = await world.run(['approvals', 'cancel', approvals[0].id, ...inProfile]);
    expect(cancelled.exitCode).toBe(0);
    const resumed = await world.run(['resume', thread, ...inProfile]);
    expect(resumed.exitCode, resumed.stderr).toBe(6);
    expect(files()).toEqual([]);
  });

  it('has a run that is interrupted stopped at the server', async () => {
    const running = world.start(['run', 'buy 5 AAPL limit 180', '--cancel-on-exit', ...inProfile]);
    await expect.poll(async () => (await agent.approvals()).map(({ status }) => status)).toEqual(['requested']);
    running.interrupt();
    expect((await running.done).exitCode).toBe(130);
    expect((await agent.approvals()).map(({ status }) => status)).toEqual(['cancelled']);
  });

  it('has its schedules kept and run at the server, by the rules as they are written', async () => {
    const rules = join(world.folder, 'rules.yaml');
    writeFileSync(rules, 'rules:\n  - {name: one-stock, kind: concentration, above: 35%}\n');
    const home = () =>
      readdirSync(join(world.folder, 'agent'), { encoding: 'utf8' }).filter((name) => name !== 'cache');
    const before = home();
    const add = (...more: string[]) =>
      world.run(['schedule', 'add', '--at', 'close-30m', '--name', 'close-check', ...more, ...inProfile]);
    const added = await add('--rules', rules, '--when-open', '--on-price', '--timeout', '5m');
    expect(added.exitCode, added.stderr).toBe(0);
    expect(added.stdout).toContain('entry  server: runs on the server');
    expect(server.schedules).toMatchObject([
      {
        name: 'close-check',
        timing: { at: 'close-30m' },
        when_open: true,
        on_price: true,
        timeout_ms: 300_000,
        check: { rules: readFileSync(rules, 'utf8'), suggest: false, buy_only: false, approval: 'detach' },
      },
    ]);
    const listed = await world.json('schedule', 'list', ...inProfile);
    expect(listed.body).toMatchObject({
      schedules: [{ id: 's1', profile: 'work', with: 'server', entry: 'kept', at: 'close-30m' }],
    });
    const ran = await world.run(['schedule', 'run', 'close-check', '--now', ...inProfile]);
    expect(ran.exitCode, ran.stderr).toBe(3);
    expect(ran.stdout).toContain('MSFT is 4 % above its target');
    const logs = await world.run(['schedule', 'logs', ...inProfile]);
    expect(logs.stdout).toContain('found (1)');
    expect(await add('--report', join(world.folder, 'report.html'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--report works only for schedules on this machine'),
    });
    const removed = await world.run(['schedule', 'remove', 'close', '--yes', ...inProfile]);
    expect(removed.exitCode, removed.stderr).toBe(0);
    expect(server.schedules).toEqual([]);
    expect(home()).toEqual(before);
  });

  it.each([
    [
      'a model server of one’s own',
      ['run', 'x', '--base-url', 'http://127.0.0.1:1/v1'],
      /the agent’s server chooses the model server/,
    ],
    ['dry run', ['run', 'buy 5 AAPL', '--dry-run'], /--dry-run can’t be used here, because the agent runs on a server/],
    [
      'schedule of this machine for its alerts',
      ['alert', 'add', 'AAPL<180', '--with', 'cron'],
      /the server checks alerts itself/,
    ],
  ])('takes no %s', async (_, args, message) => {
    const refused = await world.run([...args, ...inProfile]);
    expect(refused.exitCode, refused.stderr).toBe(2);
    expect(refused.stderr).toMatch(message);
  });
});
