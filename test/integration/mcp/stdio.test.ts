import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client, type Transport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { App } from '../../../src/app/app.ts';
import { importActivities } from '../../../src/app/imports.ts';
import { serveStdio } from '../../../src/app/mcp/serve-stdio.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { OwnRules } from '../../../src/tools/own-rules.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { type Person, type ProposalWorld, startProposalWorld } from '../approval/world.ts';
import { type Facts, factsOf } from './mcp-world.ts';
import { expectOutput } from './output-check.ts';

let world: ProposalWorld;
beforeAll(async () => {
  world = await startProposalWorld();
  knowRecipients(world.sandbox.ready.home, 'slack:#trading');
});
afterAll(() => world?.close());

function over(stdin: PassThrough, stdout: PassThrough): Transport {
  let rest = '';
  const transport: Transport = {
    async start() {
      stdout.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) transport.onmessage?.(JSON.parse(line));
      });
    },
    send: async (message) => void stdin.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      stdin.end();
      transport.onclose?.();
    },
  };
  return transport;
}

const connecting = (person: Person) => ({
  fetch,
  home: async () => person.home,
  store: async () => person.store,
  requireSession: async () => person.session,
});

interface Connection {
  readonly readOnly?: boolean;
  readonly login?: { isThere: boolean };
  readonly capabilities?: object;
  readonly ownRules?: OwnRules;
}

async function connect(options: Connection = {}) {
  const person = await world.as('alice');
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const app = {
    clock: systemClock,
    signal: new AbortController().signal,
    profile: async () => resolveProfile({ profiles: {} }, undefined, world.sandbox.ready),
    session: async () => (options.login?.isThere === false ? undefined : person.session),
    reset: async () => {},
    account: async () => undefined,
    limitToReading: () => {},
    ...connecting(person),
  } satisfies Partial<App>;
  const { ownRules, readOnly = false } = options;
  const serving = serveStdio(app, { ...streams, readOnly, ...(ownRules === undefined ? {} : { ownRules }) });
  const { capabilities = {} } = options;
  const client = new Client(
    { name: 'desk-bot', version: '1' },
    { capabilities, versionNegotiation: { mode: 'legacy' } },
  );
  await client.connect(over(streams.stdin, streams.stdout));
  return { client, person, serving, app };
}

describe('an account elsewhere that is not connected', () => {
  it('is connected by a link that the client shows, and the call goes on', async () => {
    const { client, person } = await connect({ capabilities: { elicitation: { url: {} } } });
    const links: URL[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      links.push(new URL((params as { url: string }).url));
      await world.phone.answerConnection('alice', links[0]?.searchParams.get('ticket') ?? '', 'approve');
      return { action: 'accept' };
    });
    const sending = client.callTool(
      { name: 'send_summary', arguments: { service: 'slack', recipient: '#trading' } },
      { onprogress: () => {} },
    );
    const open = async () => (await person.send('GET', '/v1/proposals')).body.proposals as Facts[];
    await expect.poll(async () => (await open()).at(0)).toMatchObject({ kind: 'message' });
    const [{ code } = { code: '' }] = await open();
    await person.tap(code, 'deny');
    expect(factsOf(await sending)).toMatchObject({ status: 'denied' });
    expect(links).toHaveLength(1);
    await client.close();
  });
});

describe('trade-agent mcp', () => {
  it('serves a client that started it, until that goes away: an order to its fill', async () => {
    const { client, person, serving } = await connect();
    expect((await client.listTools()).tools).toHaveLength(32);
    const who = factsOf(await client.callTool({ name: 'whoami', arguments: {} }));
    expect(who).toMatchObject({ environment: 'paper', name: 'Alice Adams' });
    const said: string[] = [];
    const placing = client.callTool(
      { name: 'place_order', arguments: { symbol: 'AAPL', side: 'buy', qty: '2' } },
      { onprogress: ({ message }) => void said.push(message ?? '') },
    );
    await expect.poll(() => said.length).toBeGreaterThan(0);
    const code = /Code (\w{4})/.exec(said[0] ?? '')?.[1] ?? '';
    const [proposal] = (await person.send('GET', '/v1/proposals')).body.proposals as Record<string, unknown>[];
    expect(proposal).toMatchObject({ code, requested_by: 'mcp desk-bot' });
    expect(proposal?.provenance).toMatchObject({
      fields: { symbol: { source: 'other', from: 'MCP client desk-bot' } },
    });
    await person.tap(code);
    expect(factsOf(await placing)).toMatchObject({ status: 'executed', order: { status: 'filled' } });
    await client.close();
    await serving;
  });

  it('continues the trace that the client names, or begins one for each call', async () => {
    const { client, person, serving } = await connect();
    const sent = vi.spyOn(person.session, 'fetch');
    const tracesOf = async (meta: Record<string, unknown>) => {
      sent.mockClear();
      await client.callTool({ name: 'list_proposals', arguments: {}, _meta: meta });
      return sent.mock.calls.map(([, { headers }]) => new Headers(headers).get('traceparent'));
    };
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(new Set(await tracesOf({ traceparent }))).toEqual(new Set([traceparent]));
    const [first] = await tracesOf({});
    const [second] = await tracesOf({ traceparent: 'nothing' });
    for (const own of [first, second]) expect(own).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(first).not.toBe(second);
    await client.close();
    await serving;
  });

  it('tells of what the person imported on this machine, as imported', async () => {
    const { client, person, app } = await connect({ readOnly: true });
    const folder = mkdtempSync(join(tmpdir(), 'trade-agent-import-'));
    const file = join(folder, 'history.csv');
    writeFileSync(file, 'date,type,symbol,qty,price\n2014-03-03,buy,XYZ,2,10\n2015-06-01,sell,XYZ,2,20\n');
    try {
      await importActivities({ ...app, gateway: async () => createGatewayClient(person.session) }, file);
      const gains = await client.callTool({ name: 'get_realized_gains', arguments: { year: '2015' } });
      expect(factsOf(gains)).not.toHaveProperty('not_counted');
      expect(factsOf(gains)).toMatchObject({ imported: 2, gains: [{ symbol: 'XYZ', gain: '20.00' }] });
      const all = await client.callTool({ name: 'get_activities', arguments: { period: 'ALL', limit: 100 } });
      const { activities } = factsOf(all) as unknown as { activities: Activity[] };
      expect(activities.filter(({ imported }) => imported).map(({ symbol }) => symbol)).toEqual(['XYZ', 'XYZ']);
    } finally {
      rmSync(folder, { recursive: true });
    }
    await client.close();
  });

  it('has no more to ask with than any other foreign agent, nor what the chat proposed', async () => {
    const { client, person } = await connect();
    const own = await person.propose({ kind: 'order', order: { symbol: 'NVDA', side: 'buy', qty: '1' } });
    const calls = Array.from({ length: 20 }, (_, index) =>
      client.callTool(
        { name: 'place_order', arguments: { symbol: 'MSFT', side: 'buy', qty: String(index + 1) } },
        { onprogress: () => {} },
      ),
    );
    const open = async () => (await person.send('GET', '/v1/proposals')).body.proposals as Facts[];
    await expect.poll(async () => (await open()).length).toBeGreaterThan(2);
    const blocked: Facts[] = [];
    for (const call of calls) void call.then((result) => blocked.push(factsOf(result))).catch(() => {});
    await expect.poll(() => blocked.length).toBe(18);
    expect(new Set(blocked.map(({ error }) => error))).toEqual(new Set(['blocked']));
    // The person's own program's is one of the three.
    expect(await open()).toHaveLength(3);
    const listed = factsOf(await client.callTool({ name: 'list_proposals', arguments: {} }));
    expect(listed.proposals).toHaveLength(2);
    const refused = await client.callTool({ name: 'withdraw_proposal', arguments: { proposal_id: own.id } });
    expect(factsOf(refused)).toMatchObject({ status: 'error', error: 'not_found' });
    await client.close();
  });

  const at = '2026-11-25T15:00:00Z';
  const finding = {
    rule: 'drift',
    kind: 'drift',
    subject: 'KO',
    severity: 'warn',
    message: 'KO is 5% above.',
    since: at,
  };
  const ownRules: OwnRules = {
    findings: async () => ({
      ...{ rules_file: 'rules.yaml', checked_at: at, simulated: true, ongoing: [], snoozed: [] },
      findings: [finding, { ...finding, problem: 'no price' }],
      skipped: [{ rule: 'news', reason: 'no news' }],
    }),
    targets: async () => undefined,
  };

  it.each([
    ['get_findings', {}],
    ['set_watchlist', { add: ['KO'] }],
  ])('answers as the schema of %s says', async (name, args) => {
    const { client } = await connect({ ownRules });
    const { tools } = await client.listTools();
    expectOutput(name, await client.callTool({ name, arguments: args }), tools);
    await client.close();
  });

  it('has only what reads, where that was asked for', async () => {
    const { client } = await connect({ readOnly: true });
    expect((await client.listTools()).tools.every(({ annotations }) => annotations?.readOnlyHint)).toBe(true);
    await client.close();
  });

  it('says to whoever asks that nobody is signed in, and sees it when somebody is', async () => {
    const login = { isThere: false };
    const { client } = await connect({ login });
    const read = async () => factsOf(await client.callTool({ name: 'get_portfolio', arguments: {} }));
    expect(await read()).toMatchObject({ status: 'error', error: 'login_required' });
    login.isThere = true;
    expect(await read()).toMatchObject({ status: 'ok' });
    await client.close();
  });
});
