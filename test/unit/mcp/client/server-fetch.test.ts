import { describe, expect, it } from 'vitest';
import { createMcpServerFetch } from '../../../../src/mcp/client/connection.ts';

const addresses: Record<string, string[]> = {
  'news.example': ['93.184.216.34'],
  'login.example': ['93.184.216.35'],
  'inside.example': ['10.0.0.7'],
  'intranet.example': ['10.0.0.8'],
};
const resolve = async (host: string) => addresses[host] ?? [];

async function sent(server: string, to: string): Promise<string> {
  const asked: string[] = [];
  const send = (async (input: string | URL | Request) => {
    asked.push(String(input));
    return new Response('{}');
  }) as typeof fetch;
  await createMcpServerFetch(send, server, { resolve })(to).catch(() => undefined);
  return asked[0] ?? 'refused';
}

describe('a server on the internet', () => {
  const server = 'https://news.example/mcp';

  it.each(['https://news.example/.well-known/x', 'https://login.example/token'])('may send us to %s', async (to) => {
    expect(await sent(server, to)).toBe(to);
  });

  it.each([
    'https://inside.example/',
    'https://169.254.169.254/latest/meta-data',
    'https://127.0.0.1:8443/',
    'http://127.0.0.1:11434/',
    'http://login.example/token',
    'https://unknown.example/',
  ])('may not send us to %s', async (to) => {
    expect(await sent(server, to)).toBe('refused');
  });
});

it('a server inside may send us to another inside', async () => {
  const to = 'https://inside.example/token';
  expect(await sent('https://intranet.example/mcp', to)).toBe(to);
  expect(await sent('https://intranet.example/mcp', 'http://inside.example/token')).toBe('refused');
});

describe('a redirect', () => {
  const server = 'https://news.example/mcp';

  /** Where a request ends that is redirected once, and whether it is allowed to. */
  async function redirected(to: string, init: RequestInit, status = 307): Promise<readonly string[]> {
    const asked: string[] = [];
    const send = (async (input: string | URL | Request, { method = 'GET' }: RequestInit = {}) => {
      asked.push(`${method} ${String(input)}`);
      return asked.length === 1 ? new Response(null, { status, headers: { location: to } }) : new Response('{}');
    }) as typeof fetch;
    const end = await createMcpServerFetch(send, server, { resolve })(server, init).catch((error: Error) => error.name);
    return typeof end === 'string' ? [...asked, end] : asked;
  }

  it('within the server is followed, with the same request', async () => {
    const post = { method: 'POST', body: '{}', headers: { authorization: 'Bearer x' } };
    expect(await redirected('/mcp/', post)).toEqual([`POST ${server}`, `POST ${server}/`]);
    expect(await redirected('/mcp/', post, 302)).toEqual([`POST ${server}`, 'UnreachableError']);
  });

  it('to another public server is followed, without anything secret', async () => {
    const to = 'https://login.example/metadata';
    expect(await redirected(to, {})).toEqual([`GET ${server}`, `GET ${to}`]);
    expect(await redirected(to, { headers: { authorization: 'Bearer x' } })).toEqual([
      `GET ${server}`,
      'UnreachableError',
    ]);
    expect(await redirected(to, { method: 'POST', body: 'x' })).toEqual([`POST ${server}`, 'UnreachableError']);
  });

  it.each([
    'https://inside.example/',
    'http://127.0.0.1:11434/',
    'http://login.example/',
    'https://[::1]/',
    'https://',
  ])('to %s is not followed', async (to) => {
    expect(await redirected(to, {})).toEqual([`GET ${server}`, 'UnreachableError']);
  });

  it('without end is not followed forever', async () => {
    let asked = 0;
    const send = (async () => {
      asked += 1;
      return new Response(null, { status: 307, headers: { location: server } });
    }) as typeof fetch;
    await expect(createMcpServerFetch(send, server, { resolve })(server)).rejects.toThrow('news.example');
    expect(asked).toBe(6);
  });
});
