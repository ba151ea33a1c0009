import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReadyFile } from '../../../src/sandbox/ready-file.ts';
import { folderOfSuite } from '../../folders.ts';
import {
  details as flatDetails,
  refusal,
  registerApprovalClient,
  startIdentityProvider,
  type World,
} from '../sandbox/identity-provider-fixture.ts';
import { type GatewayAsking, gatewayAsking, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { startHere } from './cli-world.ts';

let world: World;
let gateway: GatewayAsking;
const folder = folderOfSuite();
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  world = await startIdentityProvider({ fetch: async () => new Response(null, { status: 204 }) });
  gateway = await gatewayAsking(world);
  writeFileSync(join(folder, 'pairing-secret'), world.pairingSecret, { mode: 0o600 });
  const readyFile = join(folder, 'ready.json');
  const { issuer } = world;
  writeReadyFile(readyFile, {
    issuer,
    gateway: issuer,
    broker: issuer,
    phone: `${issuer}/phone`,
    home: folder,
    pid: process.pid,
  });
  env = { TRADE_AGENT_HOME: join(folder, 'agent'), TRADE_AGENT_SANDBOX: readyFile };
});
afterAll(() => world.close());

/** The terminal phone on this provider; its standard input stays open. */
function phone(args: readonly string[], options: { tty?: boolean; env?: NodeJS.ProcessEnv } = {}) {
  const { tty = false } = options;
  return startHere(['phone', ...args], { ...env, ...options.env }, { tty, open: true });
}

/** Tells what became of a request as soon as it is approved. */
async function tellOnceApproved(authReqId: string, state: string, text: string): Promise<void> {
  const id = (await world.phone.requests('alice'))[0]?.id ?? '';
  await world.phone.request(id, { waitSeconds: 20 });
  await gateway.tell(authReqId, state, text);
}

describe('the terminal phone', () => {
  it('shows a proposal, and after the tap what became of it', async () => {
    const asked = proposalDetails('order', { warnings: ['The limit is far away.'] });
    const request = await gateway.ask(asked);
    const telling = tellOnceApproved(request.auth_req_id, 'executed', 'filled 5 at $180.12');
    const { exitCode, stdout, stderr } = await phone(['--decide', 'approve', '--once']).done;
    await telling;
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe('approved K7QP: filled 5 at $180.12\n');
    for (const shown of ['Buy 5 AAPL', 'At most $900.00 in all', 'The limit is far away.', asked.digest]) {
      expect(stderr).toContain(shown);
    }
  });

  it('has what became of it in its JSON', async () => {
    const request = await gateway.ask(proposalDetails());
    const telling = tellOnceApproved(request.auth_req_id, 'blocked', 'price moved');
    const { stdout } = await phone(['--decide', 'approve', '--once', '--output', 'json']).done;
    await telling;
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'approve',
      code: 'K7QP',
      outcome: { state: 'blocked', text: 'price moved' },
    });
  });

  it('waits for nothing after a denial, nor where a client asks by itself', async () => {
    await gateway.ask(proposalDetails());
    expect((await phone(['--decide', 'deny', '--once']).done).stdout).toBe('denied K7QP\n');
    await (await registerApprovalClient(world)).ask(flatDetails());
    const { stdout } = await phone(['--decide', 'approve', '--once', '--output', 'json']).done;
    expect(JSON.parse(stdout)).not.toHaveProperty('outcome');
  });

  it('drops a request that is withdrawn while it asks, and goes on to the next', async () => {
    const request = await gateway.ask(proposalDetails());
    const running = phone(['--once'], { tty: true });
    await running.says(/Approve, deny, or leave it\?/);
    await gateway.tell(request.auth_req_id, 'cancelled', 'withdrawn');
    await running.says(/K7QP is no longer open: withdrawn/);
    expect(await refusal(gateway.poll(request.auth_req_id))).toBe('access_denied');
    await gateway.ask(proposalDetails('lift', { code: 'ABCD' }));
    await running.says(/Resume trading/);
    running.type('d\n');
    expect((await running.done).stdout).toBe('denied ABCD\n');
  });

  it('takes no decision from a variable', async () => {
    await gateway.ask(proposalDetails());
    const { exitCode, stderr } = await phone(['--once'], {
      env: { TRADE_AGENT_PHONE_DECIDE: 'approve' },
    }).done;
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain('--decide');
    expect(await world.phone.requests('alice')).toHaveLength(1);
  });
});
