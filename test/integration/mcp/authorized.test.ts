import * as client from 'openid-client';
import { beforeAll, expect, it } from 'vitest';
import { type HttpBrowser, pairByHttp } from '../home/http-browser.ts';
import { letIn, publicClient, register } from '../home/public-client.ts';
import { sharedMcpWorld } from './mcp-world.ts';

/* A program that nobody registered, from its first request to what it may do, and the end of it. */

const { world } = sharedMcpWorld({ holdMs: 100 });
let alice: HttpBrowser;
beforeAll(async () => {
  alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
});

async function signedIn() {
  const { issuer } = world.sandbox.ready;
  const discover = (id: string, metadata?: Partial<client.ClientMetadata>, auth?: client.ClientAuth) =>
    client.discovery(new URL(issuer), id, metadata, auth, { execute: [client.allowInsecureRequests] });
  const { body } = await register(issuer);
  const program = await publicClient({ issuer, discover }, body.client_id);
  const resource = world.url;
  const tokens = await program.redeem(await letIn(alice, program.url({ resource })), { resource });
  return { program, resource, tokens };
}

it('proposes under the name that it was let in by, opens nothing at /v1, and ends at once', async () => {
  const { program, resource, tokens } = await signedIn();
  const { access_token: token, refresh_token = '' } = tokens;
  const agent = await world.connect(token);
  const placed = await agent.callTool({
    name: 'place_order',
    arguments: { symbol: 'AAPL', side: 'buy', qty: '1' },
  });
  expect(placed.structuredContent).toMatchObject({ status: 'pending_approval' });
  const [asked] = await world.phone.requests('alice');
  expect(asked?.details).toMatchObject({ requested_by: 'Some Agent (127.0.0.1:9123)' });
  const { gateway } = world.sandbox.ready;
  const as = { authorization: `Bearer ${token}` };
  expect((await fetch(`${gateway}/v1/account`, { headers: as })).status).toBe(401);

  await alice.submit('/phone/programs', '/phone/programs/end', { id: program.clientId });

  expect((await fetch(world.url, { method: 'POST', headers: as, body: '{}' })).status).toBe(401);
  await expect(program.refresh(refresh_token, { resource })).rejects.toMatchObject({
    error: 'invalid_grant',
  });
  await expect.poll(async () => (await world.phone.requests('alice')).length).toBe(0);
  const [withdrawn] = await world.phone.allRequests('alice');
  expect(withdrawn).toMatchObject({ status: 'withdrawn', outcome: { state: 'cancelled' } });
});
