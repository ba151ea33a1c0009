import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../../../src/agent/agent.ts';
import { createRemoteAgent } from '../../../../src/agent/remote/remote-agent.ts';
import { createOpenApiDocument } from '../../../../src/server/http/server-app.ts';
import { noPrism, startPrism, stopPrisms } from '../../prism.ts';
import { profileAt, sessionOf } from '../session.ts';
import { createWorld, options, play, type World } from '../world.ts';
import { AgentServer } from './agent-server.ts';
import { hurriedClock } from './remote-world.ts';

// Every request of the client and every answer goes through prism, which holds both to the server's OpenAPI document.
describe.skipIf(noPrism !== undefined)('by the OpenAPI document', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
  let world: World;
  let server: AgentServer;
  let proxy: string;
  let agent: Agent;
  beforeEach(async () => {
    world = await createWorld();
    const here = await world.agent();
    server = await new AgentServer(async () => here).start();
    const file = join(folder, 'openapi.json');
    const document = createOpenApiDocument(server.url, '0');
    // Prism knows no scheme of HTTP but Basic and Bearer.
    const securitySchemes = { dpop: { type: 'apiKey', in: 'header', name: 'authorization' } };
    const components = { ...(document.components as object), securitySchemes };
    writeFileSync(file, JSON.stringify({ ...document, components }));
    proxy = await startPrism(file, server.url);
    const session = sessionOf(profileAt(proxy));
    agent = createRemoteAgent({ session, clock: hurriedClock });
  });
  afterEach(async () => {
    await stopPrisms();
    await server.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('an agent at a server can be asked for all that an agent can', async () => {
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL limit 180' }, options('detach')));
    expect(result).toMatchObject({ status: 'pending' });
    const { thread } = result;
    expect(await agent.threads({ asKept: true })).toMatchObject([{ thread }]);
    expect((await agent.thread(thread)).messages.length).toBeGreaterThan(1);
    const [approval] = await agent.approvals();
    expect(await agent.approval(approval?.id ?? '')).toMatchObject({ kind: 'order' });
    expect(await agent.reconcile()).toEqual([]);
    await expect(agent.deleteThread(thread)).rejects.toMatchObject({ code: 'approval_pending' });
    expect(await agent.cancelApproval(approval?.id ?? '')).toMatchObject({ status: 'cancelled' });
    const resumed = await play(agent.resume(thread, options()));
    expect(resumed.result).toMatchObject({ status: 'denied', thread });
    expect(await agent.pruneThreads({ olderThan: 0, keep: 1 })).toEqual([]);
    await agent.deleteThread(thread);
    expect(await agent.approval('nothing')).toBeUndefined();
  });

  it('a breach of it is seen: the test of this test', async () => {
    const ask = (path: string, init: RequestInit) =>
      fetch(`${proxy}${path}`, { ...init, headers: { authorization: 'DPoP x', ...(init.headers ?? {}) } });
    const body = JSON.stringify({ input: { prompt: 'x' }, options: { approval: 'perhaps' } });
    const json = { 'content-type': 'application/json' };
    const run = { method: 'POST', body, headers: { ...json, 'idempotency-key': 'k' } };
    expect((await ask('/v1/agent/runs', run)).status).toBe(422);
    expect((await ask('/v1/agent/runs', { ...run, headers: json })).status).toBe(422);
    expect((await ask('/v1/agent/nothing', {})).status).toBe(404);
    expect(server.asked).toEqual([]);
  });
});
