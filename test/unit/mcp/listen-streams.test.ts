import { Server } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { createMcpEndpoint } from '../../../src/mcp/http/mcp-endpoint.ts';
import { request } from '../../integration/mcp/rpc.ts';

/* Streams of subscriptions/listen, whose resources a test changes. */

const callerOf = (sub: string, clientId = 'bot') => ({ sub, clientId });
type Caller = ReturnType<typeof callerOf>;
const URI = 'portfolio://default';

/** An endpoint, and by caller what its streams follow: `change` tells of one, `end` takes the access away. */
function serve(follow = async (_: readonly string[]) => {}) {
  const followed = new Map<string, { signal: AbortSignal; change(): void; end(): void }[]>();
  const server = () => new Server({ name: 'x', version: '1' }, { capabilities: { resources: { subscribe: true } } });
  const endpoint = createMcpEndpoint<Caller>(server, async ({ sub }, uris, signal) => {
    await follow(uris);
    const { readable, writable } = new TransformStream<string, string>();
    const writer = writable.getWriter();
    const end = () => void writer.close().catch(() => undefined);
    signal.addEventListener('abort', end);
    const stream = { signal, change: () => void writer.write(uris[0] ?? ''), end };
    followed.set(sub, [...(followed.get(sub) ?? []), stream]);
    return { uris, updates: readable };
  });
  const listen = async (caller: Caller) => {
    const params = { notifications: { resourceSubscriptions: [URI] } };
    const response = await endpoint(request('http://localhost/mcp', 'subscriptions/listen', params, {}), caller);
    if (response.headers.get('content-type')?.startsWith('application/json'))
      throw new Error(((await response.json()) as { error: { message: string } }).error.message);
    return (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  };
  return { listen, streams: (sub: string) => followed.get(sub) ?? [] };
}

type Reader = Awaited<ReturnType<ReturnType<typeof serve>['listen']>>;
const next = async (reader: Reader) => (await reader.read()).value ?? 'the end';

describe('a stream of subscriptions', () => {
  it('tells each caller of its own changes, also where several follow the same URI', async () => {
    const { listen, streams } = serve();
    const [alice, bob] = [await listen(callerOf('alice')), await listen(callerOf('bob'))];
    expect(await next(alice)).toContain('notifications/subscriptions/acknowledged');
    expect(await next(bob)).toContain('notifications/subscriptions/acknowledged');
    streams('alice')[0]?.change();
    expect(await next(alice)).toContain('notifications/resources/updated');
    streams('alice')[0]?.end();
    streams('bob')[0]?.end();
    expect(await next(bob)).toContain('"resultType":"complete"');
  });

  it('ends, with a result, when the caller’s access ends', async () => {
    const { listen, streams } = serve();
    const reader = await listen(callerOf('alice'));
    await next(reader);
    streams('alice')[0]?.end();
    expect(await next(reader)).toContain('"resultType":"complete"');
    expect(await next(reader)).toBe('the end');
  });

  it('follows nothing more once the client is gone', async () => {
    const { listen, streams } = serve();
    const reader = await listen(callerOf('alice'));
    await next(reader);
    expect(streams('alice')[0]?.signal.aborted).toBe(false);
    await reader.cancel();
    await expect.poll(() => streams('alice')[0]?.signal.aborted).toBe(true);
  });

  it('is one of four of a caller, and of two hundred in all; the end of one makes room', async () => {
    const { listen, streams } = serve();
    const callers = Array.from({ length: 50 }, (_, index) => callerOf(`person ${index}`));
    for (const caller of callers) {
      for (let stream = 0; stream < 4; stream++) await listen(caller);
    }
    await expect(listen(callerOf('person 0'))).rejects.toThrow('too many subscriptions');
    await expect(listen(callerOf('somebody else'))).rejects.toThrow('too many subscriptions');
    streams('person 0')[0]?.end();
    await expect
      .poll(() =>
        listen(callerOf('somebody else')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it('leaves its place when its resources can’t be followed, and says nothing of why', async () => {
    const { listen } = serve(async () => {
      throw new Error('password hunter2');
    });
    for (let attempt = 0; attempt < 6; attempt++) {
      await expect(listen(callerOf('alice'))).rejects.toThrow('the resources could not be followed; try again');
    }
  });
});
