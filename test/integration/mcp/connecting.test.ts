import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { createMcpEndpoint } from '../../../src/mcp/http/mcp-endpoint.ts';
import type { McpCaller } from '../../../src/mcp/mcp-caller.ts';
import { followProposals } from '../../../src/mcp/resources/subscriptions.ts';
import { createAccountQuestions } from '../../../src/mcp/server/account-questions.ts';
import { createMcpServer } from '../../../src/mcp/server/mcp-server.ts';
import { MCP_SCOPES } from '../../../src/oauth/scopes.ts';
import { connectionRequiredError } from '../../../src/tools/gateway/gateway-problem.ts';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { pairByHttp } from '../home/http-browser.ts';
import { factsOf, sharedMcpWorld } from './mcp-world.ts';
import { request, rpc, rpcAnswer, tasksExtension } from './rpc.ts';

/* An account elsewhere that a tool needs and that is not connected: the person is shown where, and does it themselves. */

const SLACK = { service: 'slack', recipient: '#trading' };
const shows = { elicitation: { url: {} } };

describe('a tool that needs an account elsewhere', () => {
  const { world, tokens } = sharedMcpWorld({ holdMs: 1_500 });
  let bob: string;
  beforeAll(async () => {
    knowRecipients(world.sandbox.ready.home, 'slack:#trading');
    bob = await world.token('helper-bot', 'bob');
  });

  const summary = (token: string, more: object = {}, capabilities: object = shows) =>
    rpc({ url: world.url, token, capabilities }, 'tools/call', {
      name: 'send_summary',
      arguments: SLACK,
      ...more,
    });
  const address = () => `${world.sandbox.ready.issuer}/connections/connect?connection=slack`;
  const answered = (action: string) => ({ inputResponses: { connect: { action } } });

  it('has the client show where it is connected, and goes on once it is: 2026-07-28', async () => {
    const both = { ...shows, ...tasksExtension };
    const asked = await summary(tokens.alice, {}, both);
    expect(asked).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        connect: { method: 'elicitation/create', params: { mode: 'url', url: address() } },
      },
    });
    const { requestState } = asked;
    const alice = await world.as('alice');
    const again = summary(tokens.alice, { ...answered('accept'), requestState }, both);
    await alice.connect('slack', ['chat:write']);
    const { taskId } = await again;
    expect(await alice.proposal(String(taskId))).toMatchObject({ kind: 'message', state: 'requested' });
  });

  it('says how it is connected where the person would not, or the client answers for them, and asks no more', async () => {
    for (const action of ['cancel', 'decline', 'accept']) {
      const { requestState } = await summary(bob);
      const refused = await summary(bob, { ...answered(action), requestState });
      expect(refused).toMatchObject({ isError: true, structuredContent: { error: 'connection_required' } });
      expect(String(factsOf(refused).hint)).toContain(address());
    }
  });

  it('says so at once to a client that can show nothing', async () => {
    for (const capabilities of [{}, { elicitation: {} }, { elicitation: { form: {} } }]) {
      const refused = await summary(bob, {}, capabilities);
      expect(refused).toMatchObject({ isError: true, structuredContent: { error: 'connection_required' } });
    }
  });

  it.each(['accept', 'cancel'] as const)(
    'asks a client of 2025-11-25 in the middle of the call, once: %s',
    async (action) => {
      const client = await world.connect(bob, { version: '2025-11-25', capabilities: shows });
      const asked: unknown[] = [];
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push(params);
        return { action };
      });
      const result = await client.callTool({ name: 'send_summary', arguments: SLACK });
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatchObject({ mode: 'url', url: address() });
      expect(factsOf(result)).toMatchObject({ error: 'connection_required' });
    },
  );

  it('is at a page that connects the account of whoever is signed in there, and of nobody else', async () => {
    const { browser } = await pairByHttp((await world.phone.pairing('bob')).url);
    const path = '/connections/connect?connection=';
    const page = await (await browser.visit(`${path}slack`)).text();
    expect(page).toContain('Connect <span data-testid="connection">Slack');
    expect(page).toContain('A program that you use');
    expect((await browser.visit(`${path}elsewhere`)).status).toBe(404);
    const stranger = await fetch(address(), { redirect: 'manual' });
    expect(await stranger.text()).not.toContain('data-testid="allow"');
  });
});

describe('what the client brings back with the call', () => {
  const caller: McpCaller = {
    sub: 'alice',
    clientId: 'helper-bot',
    owns: () => true,
    scopes: new Set(MCP_SCOPES),
    environment: 'paper',
    signedIn: undefined,
    gateway: new Proxy({} as McpCaller['gateway'], {
      get: () => async () => {
        throw connectionRequiredError('broker');
      },
    }),
    hasImports: false,
    connectAddress: async () => 'http://localhost/connect',
  };
  const args = { symbol: 'AAPL', days: 7 };
  const endpointOf = (lifeSeconds?: number) => {
    const options = {
      ...{ version: '0', readOnly: false, clock: systemClock, holdMs: 10 },
      accounts: createAccountQuestions(lifeSeconds),
    };
    return createMcpEndpoint((who: McpCaller, context) => createMcpServer(who, context, options), followProposals);
  };
  const bars = async (endpoint: ReturnType<typeof endpointOf>, more: object = {}, who = caller) =>
    rpcAnswer(
      await endpoint(
        request('http://localhost/mcp', 'tools/call', { name: 'get_bars', arguments: args, ...more }, shows),
        who,
      ),
    );
  const accepted = { inputResponses: { connect: { action: 'accept' } } };
  const refused = { code: -32602, message: 'Invalid or expired requestState' };
  const stateOf = async (endpoint: ReturnType<typeof endpointOf>) => String((await bars(endpoint)).requestState);

  it('is not asked of a client that reads a resource, which is told where to sign in', async () => {
    const reading = request('http://localhost/mcp', 'resources/read', { uri: 'portfolio://default' }, shows);
    await expect(rpcAnswer(await endpointOf()(reading, caller))).rejects.toMatchObject({
      ...{ code: -32603, message: expect.stringContaining('open http://localhost/connect and sign in there') },
      data: { error: 'connection_required' },
    });
  });

  it('counts for the same call of the same caller', async () => {
    const endpoint = endpointOf();
    const requestState = await stateOf(endpoint);
    expect(await bars(endpoint, { ...accepted, requestState })).toMatchObject({ isError: true });
  });

  it('is refused where it was tampered with', async () => {
    const endpoint = endpointOf();
    const state = await stateOf(endpoint);
    const [version = '', body = '', mac = ''] = state.split('.');
    const sealed = JSON.parse(Buffer.from(body, 'base64url').toString()) as { exp: number };
    const longer = Buffer.from(JSON.stringify({ ...sealed, exp: sealed.exp + 60 })).toString('base64url');
    for (const requestState of [`${version}.${longer}.${mac}`, `${state.slice(0, -5)}AAAAA`, '', 'v1.e30.', 'x']) {
      await expect(bars(endpoint, { ...accepted, requestState }), requestState).rejects.toMatchObject(refused);
    }
  });

  it.each([
    ['another person', { ...caller, sub: 'bob' }],
    ['another client', { ...caller, clientId: 'other-bot' }],
  ])('is refused from %s', async (_, other) => {
    const endpoint = endpointOf();
    const requestState = await stateOf(endpoint);
    await expect(bars(endpoint, { ...accepted, requestState }, other)).rejects.toMatchObject(refused);
  });

  it.each([
    ['other arguments', { arguments: { ...args, days: 8 } }],
    ['another tool', { name: 'get_performance', arguments: {} }],
  ])('is refused with %s', async (_, changed) => {
    const endpoint = endpointOf();
    const requestState = await stateOf(endpoint);
    await expect(bars(endpoint, { ...accepted, ...changed, requestState })).rejects.toMatchObject(refused);
  });

  it('is refused when its time is over', async () => {
    const endpoint = endpointOf(-1);
    const requestState = await stateOf(endpoint);
    await expect(bars(endpoint, { ...accepted, requestState })).rejects.toMatchObject(refused);
  });

  it('is refused from before a restart', async () => {
    const requestState = await stateOf(endpointOf());
    await expect(bars(endpointOf(), { ...accepted, requestState })).rejects.toMatchObject(refused);
  });
});
