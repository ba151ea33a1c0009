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
