import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import { createAgent } from '../../../src/agent/run/create-agent.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { createPhoneClient, type PhoneClient } from '../../../src/home/phone/phone-client.ts';
import type { Home } from '../../../src/machine/directories.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { databaseKey } from '../../../src/secrets/database-key.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { options, play } from './world.ts';

/** The real identity provider, gateway and paper broker, with alice signed in. */
describe('on the sandbox', () => {
  const root = mkdtempSync(join(tmpdir(), 'trade-agent-sandbox-'));
  const folder = join(root, 'agent');
  const home: Home = { config: folder, data: folder, log: folder, sandbox: join(root, 'sandbox') };
  let sandbox: Sandbox;
  let phone: PhoneClient;
  let newAgent: () => Promise<Agent>;
  const agents: Agent[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ home: home.sandbox, port: 0, partialFills: false });
    const profile = resolveProfile({ profiles: {} }, undefined, sandbox.ready);
    const store = openFileStore({ folder, profile: profile.name });
    phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
    const login = await beginDeviceLogin(profile, store, { home });
    await phone.completeDevice('alice', login.user_code);
    await login.complete(new AbortController().signal);
    newAgent = async () => {
      const agent = await createAgent({
        profile,
        session: await openSession({ profile, store, home }),
        stateDb: join(folder, 'state.db'),
        databaseKey: await databaseKey(store),
        env: {},
      });
      agents.push(agent);
      return agent;
    };
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await sandbox.close();
    rmSync(root, { recursive: true });
  });
  beforeEach(() => sandbox.faults.clear());

  /** Alice's phone answers the next request. */
  async function tap(decision: 'approve' | 'deny') {
    const [request] = await phone.requests('alice', { waitSeconds: 10 });
    if (request === undefined) throw new Error('the phone was never asked');
    return phone.decide(request.id, decision);
  }

  const ordersAtBroker = () =>
    sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));

  it('an order goes from a sentence to the phone to a fill', async () => {
    const agent = await newAgent();
    const before = ordersAtBroker().length;
    const [{ result }, shown] = await Promise.all([
      play(agent.run({ prompt: 'buy 5 AAPL' }, options())),
      tap('approve'),
    ]);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '5', status: 'filled' }],
    });
    expect(shown.code).toBe(result.approvals[0]?.code);
    expect(shown.details).toMatchObject({
      subject: { qty: '5' },
      identifier: result.orders[0]?.client_order_id,
    });
    expect(ordersAtBroker()).toHaveLength(before + 1);
  });

  it('a denied order is not placed', async () => {
    const before = ordersAtBroker().length;
    const agent = await newAgent();
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 5 AAPL' }, options())),
      tap('deny'),
    ]);
    expect(result.status).toBe('denied');
    expect(ordersAtBroker()).toHaveLength(before);
  });

  it('a detached order is placed with nothing resumed; resumes of new processes only tell', async () => {
    const before = ordersAtBroker().length;
    const { result } = await play((await newAgent()).run({ prompt: 'sell half my MSFT' }, options('detach')));
    expect(result.status).toBe('pending');
    await tap('approve');
    await expect.poll(() => ordersAtBroker().length).toBe(before + 1);
    const first = await play((await newAgent()).resume(result.thread, options()));
    const second = await play((await newAgent()).resume(result.thread, options()));
    expect(first.result).toMatchObject({ status: 'done', orders: [{ symbol: 'MSFT', side: 'sell' }] });
    expect(second.result).toEqual(first.result);
    expect(ordersAtBroker()).toHaveLength(before + 1);
  });

  it('a lost token response brings a second question, and one order', async () => {
    const before = ordersAtBroker().length;
    const agent = await newAgent();
    sandbox.faults.set('lost_token_response', 1);
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 1 AAPL' }, options())),
      tap('approve').then(() => tap('approve')),
    ]);
    expect(result.status).toBe('done');
    expect(ordersAtBroker()).toHaveLength(before + 1);
  });

  it('a broker that takes an order and says nothing has taken one order', async () => {
    const before = ordersAtBroker().length;
    const agent = await newAgent();
    sandbox.faults.set('broker_timeout_after_accept', 1);
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 2 AAPL' }, options())),
      tap('approve'),
    ]);
    expect(result).toMatchObject({ status: 'done', orders: [{ qty: '2' }] });
    expect(ordersAtBroker()).toHaveLength(before + 1);
  });

  it('approved details that were tampered with place nothing', async () => {
    const before = ordersAtBroker().length;
    const agent = await newAgent();
    sandbox.faults.set('tampered_details', 1);
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 3 AAPL' }, options())),
      tap('approve'),
    ]);
    expect(result.status).not.toBe('done');
    expect(result.approvals).toMatchObject([{ status: 'blocked' }]);
    expect(ordersAtBroker()).toHaveLength(before);
  });

  it('a price that moves before the tap is asked about again at the new price', async () => {
    const agent = await newAgent();
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 1 NVDA' }, options())),
      (async () => {
        const [request] = await phone.requests('alice', { waitSeconds: 10 });
        const subject = request?.details.subject as { reference_price?: string } | undefined;
        const dearer = Number(subject?.reference_price) * 1.05;
        await fetch(`${sandbox.ready.broker}/admin/prices/NVDA`, {
          method: 'PUT',
          headers: {
            authorization: `Bearer ${sandbox.seed.admin_secret}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ price: dearer.toFixed(2) }),
        });
        await phone.decide(request?.id ?? '', 'approve');
        await tap('approve');
      })(),
    ]);
    expect(result.approvals.map(({ status }) => status)).toEqual(['blocked', 'executed']);
    expect(result.status).toBe('done');
  });

  it.each([
    ['buy 5 ZZZZZ', 'unknown_symbol'],
    ['buy 900000 AAPL', 'insufficient_funds'],
    ['quote ZZZZZ', 'unknown_symbol'],
    ['cancel order 61e69015-8549-4bfd-b9c3-01e75843f47d', 'not_found'],
  ])('%s ends with %s', async (prompt, code) => {
    const { result } = await play((await newAgent()).run({ prompt }, options()));
    expect(result).toMatchObject({ error: { code } });
    expect(await phone.requests('alice')).toEqual([]);
  });

  it('a resting order is listed and cancelled', async () => {
    const agent = await newAgent();
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 1 AAPL limit 1 gtc' }, options())),
      tap('approve'),
    ]);
    const id = result.orders[0]?.id ?? '';
    const listed = await play(agent.run({ prompt: 'open orders' }, options()));
    expect(listed.result.text).toContain(`| ${id.slice(0, 8)} | BUY 1 AAPL LMT 1 |`);
    // By what the list shows of its id.
    const cancelled = await play(agent.run({ prompt: `cancel order ${id.slice(0, 8)}` }, options()));
    expect(cancelled.result.orders).toMatchObject([{ id, status: expect.stringMatching(/cancel/) }]);
  });

  it('no token is in anything the agent wrote', () => {
    const jwt = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/;
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = readFileSync(join(file.parentPath, file.name)).toString('latin1');
      expect(jwt.test(text), file.name).toBe(false);
    }
  });
});
