import { Server } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { createMcpEndpoint, type McpEndpoint } from '../../../src/mcp/http/mcp-endpoint.ts';

/* What a client of 2025-11-25 is asked in the middle of a call, and who may answer. */

const alice = { sub: 'alice', clientId: 'helper-bot' };
type Caller = typeof alice;
type Message = Record<string, unknown> & { id: string; result: Record<string, unknown> };

const question = { mode: 'form', message: 'Name?', requestedSchema: { type: 'object', properties: {} } };

const noResources = async () => ({ uris: [], updates: (async function* () {})() });

function asking(roundTimeoutMs = 10_000): McpEndpoint<Caller> {
  return createMcpEndpoint(() => {
    const server = new Server(
      { name: 'asks', version: '1' },
      { capabilities: { tools: {} }, inputRequired: { roundTimeoutMs } },
    );
    server.setRequestHandler('tools/call', async (_request, { mcpReq }) => {
      const answer = mcpReq.inputResponses?.name;
      if (answer !== undefined) return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
      const inputRequests = { name: { method: 'elicitation/create', params: question } };
      return { resultType: 'input_required', inputRequests } as never;
    });
    return server;
  }, noResources);
}

function post(endpoint: McpEndpoint<Caller>, caller: Caller, body: object, session?: string | null) {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...(session ? { 'mcp-session-id': session } : {}),
  };
  const request = new Request('http://localhost/mcp', {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
  });
  return endpoint(request, caller);
}

async function connect(endpoint: McpEndpoint<Caller>, capabilities: object = { elicitation: {} }) {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'x', version: '1' } };
  const response = await post(endpoint, alice, { id: 0, method: 'initialize', params });
  await response.body?.cancel();
  return response.headers.get('mcp-session-id');
}

function stream(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next(): Promise<Message> {
      for (;;) {
        const [whole, data] = /^event: message\ndata: (.*)\n\n/m.exec(text) ?? [];
        if (whole !== undefined && data !== undefined) {
          text = text.replace(whole, '');
          return JSON.parse(data) as Message;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended: ${text}`);
        text += value;
      }
    },
    leave: () => reader.cancel(),
  };
}

const call = async (endpoint: McpEndpoint<Caller>, session: string | null, caller = alice, id: number | string = 1) =>
  stream(await post(endpoint, caller, { id, method: 'tools/call', params: { name: 'ask' } }, session));
const accepted = { action: 'accept', content: { name: 'Ann' } };
const textOf = ({ result }: Message) => (result.content as { text: string }[])[0]?.text;

describe('a client of 2025-11-25 that can be asked', () => {
  it('is asked in the middle of a call, under an id that nobody can guess, and its answer goes on', async () => {
    const endpoint = asking();
    const session = await connect(endpoint);
    const answers = await call(endpoint, session);
    const asked = await answers.next();
    expect(asked).toMatchObject({ method: 'elicitation/create', params: { message: 'Name?' } });
    expect(asked.id).toMatch(/^[0-9a-f-]{36}$/);
    const told = await post(endpoint, alice, { id: asked.id, result: accepted }, session);
    expect(told.status).toBe(202);
    expect(textOf(await answers.next())).toBe(JSON.stringify(accepted));
  });

  it.each([
    ['another person’s client', { ...alice, sub: 'bob' }],
    ['another client of the person’s', { ...alice, clientId: 'other-bot' }],
  ])('is answered for by no one else: %s', async (_, other) => {
    const endpoint = asking();
    const session = await connect(endpoint);
    const answers = await call(endpoint, session);
    const { id } = await answers.next();
    const forged = { action: 'accept', content: { name: 'Mallory' } };
    // The answer tells nothing of whether there was such a question.
    expect((await post(endpoint, other, { id, result: forged }, session)).status).toBe(202);
    await post(endpoint, alice, { id, result: accepted }, session);
    expect(textOf(await answers.next())).toContain('Ann');
  });

  it('answers once, and only what was asked', async () => {
    const endpoint = asking();
    const session = await connect(endpoint);
    const answers = await call(endpoint, session);
    const { id } = await answers.next();
    for (const wrong of ['0', '1', 'handshake', crypto.randomUUID()]) {
      expect((await post(endpoint, alice, { id: wrong, result: accepted }, session)).status).toBe(202);
    }
    await post(endpoint, alice, { id, result: { action: 'decline' } }, session);
    await post(endpoint, alice, { id, result: accepted }, session);
    expect(textOf(await answers.next())).toContain('decline');
  });

  it.each([0, 'handshake', 'x'])('may call its own request what it likes: %j', async (id) => {
    const endpoint = asking();
    const session = await connect(endpoint);
    const answers = await call(endpoint, session, alice, id);
    const asked = await answers.next();
    await post(endpoint, alice, { id: asked.id, result: accepted }, session);
    expect(await answers.next()).toMatchObject({ id, result: { content: [{ type: 'text' }] } });
  });

  it('has four questions open at most', async () => {
    const endpoint = asking();
    const session = await connect(endpoint);
    const open = await Promise.all([1, 2, 3, 4].map((id) => call(endpoint, session, alice, id)));
    await Promise.all(open.map((one) => one.next()));
    const fifth = await call(endpoint, session, alice, 5);
    expect((await fifth.next()).result).toMatchObject({ isError: true });
    await open[0]?.leave();
    const sixth = await call(endpoint, session, alice, 6);
    expect(await sixth.next()).toMatchObject({ method: 'elicitation/create' });
  });

  it('that answers too late is told so by the call’s own result', async () => {
    const endpoint = asking(50);
    const answers = await call(endpoint, await connect(endpoint));
    const { id } = await answers.next();
    // It is told that nobody waits any more, by the id that it knows.
    expect(await answers.next()).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: id },
    });
    expect((await answers.next()).result).toMatchObject({ isError: true });
  });
});

describe('what a client said of itself when it connected', () => {
  it('is told by the session it was given, which only it can use', async () => {
    const endpoint = asking();
    const session = (await connect(endpoint)) ?? '';
    const [body, mac] = [session.slice(0, -4), session.slice(-4)];
    const tampered = body + (mac === 'AAAA' ? 'BBBB' : 'AAAA');
    for (const [caller, id] of [
      [{ ...alice, sub: 'bob' }, session],
      [{ ...alice, clientId: 'other-bot' }, session],
      [alice, tampered],
      [alice, 'x'],
      [alice, null],
      // That of another process.
      [alice, await connect(asking())],
    ] as const) {
      const { result } = await (await call(endpoint, id, caller)).next();
      expect(result, String(id)).toMatchObject({ isError: true });
    }
  });

  it('makes no session where it can be asked nothing', async () => {
    expect(await connect(asking(), { roots: {} })).toBeNull();
    expect(await connect(asking(), { elicitation: { pad: 'x'.repeat(3_000) } })).toBeNull();
  });
});
