import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { type McpServerConfig, mcpServerSchema } from '../../../src/config/mcp-servers.ts';
import { connectMcpServer } from '../../../src/mcp/client/connection.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { createMcpCredentialStore, mcpCredentialFilePath } from '../../../src/secrets/places/mcp-credentials.ts';
import { type HttpBrowser, pairByHttp } from '../home/http-browser.ts';
import { letIn } from '../home/public-client.ts';
import { sharedMcpWorld } from '../mcp/mcp-world.ts';
import { access } from './servers.ts';

/* Somebody else's server that wants a sign-in: a home's own endpoint, with its provider and the page that asks. */

const { signal } = new AbortController();
const { world } = sharedMcpWorld({ holdMs: 100 });
let alice: HttpBrowser;
let folder: string;
let server: McpServerConfig;
beforeAll(async () => {
  alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
  server = mcpServerSchema.parse({ url: world.url });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-sign-in-'));
  return () => rmSync(folder, { recursive: true });
});

function credentials() {
  return createMcpCredentialStore(openFileStore({ folder, profile: 'work' }), folder, 'work');
}

let asked = 0;
const openBrowser = async (url: string) => {
  asked += 1;
  void letIn(alice, new URL(url)).then((back) => fetch(back));
};
const connect = (more: { openBrowser?: typeof openBrowser } = {}) =>
  connectMcpServer({ ...access(server), credentials: credentials(), ...more }, signal);

const tokensOf = async () => {
  const values = await credentials().read();
  const name = Object.keys(values).find((key) => key.startsWith('tokens\n')) ?? '';
  return { name, tokens: JSON.parse(values[name] ?? '{}') as Record<string, string> };
};

it('a run opens no browser: it says where to sign in', async () => {
  await expect(connect()).rejects.toMatchObject({
    code: 'login_required',
    message: 'MCP server news requires you to sign in',
    hint: expect.stringContaining('trade-agent mcp servers test news'),
  });
  expect(await credentials().read()).toEqual({});
});

it('once the person has signed in, runs go on by what is kept, and refresh it, without them', async () => {
  asked = 0;
  const first = await connect({ openBrowser });
  expect((await first.tools(signal)).map(({ name }) => name)).toContain('get_quote');
  await first.close();
  expect(asked).toBe(1);
  const { name, tokens } = await tokensOf();
  expect(name).toBe(`tokens\n${world.sandbox.ready.issuer}\n${server.url}`);
  expect(tokens.token_type).toBe('DPoP');

  const second = await connect();
  expect((await second.call('market_clock', {}, signal)).ok).toBe(true);
  await second.close();

  await credentials().change((values) => {
    values[name] = JSON.stringify({ ...tokens, access_token: 'expired' });
  });
  const third = await connect();
  expect((await third.call('market_clock', {}, signal)).ok).toBe(true);
  await third.close();
  const refreshed = (await tokensOf()).tokens;
  expect(refreshed.access_token).not.toBe('expired');
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
  expect(asked).toBe(1);
});

it('what is kept is sealed, and nobody else may read it', async () => {
  await (await connect({ openBrowser })).close();
  const file = mcpCredentialFilePath(folder, 'work');
  const { tokens } = await tokensOf();
  const text = readFileSync(file, 'utf8');
  for (const secret of [tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(secret);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('a refresh token that is over is told as a sign-in that is needed, and forgotten', async () => {
  await (await connect({ openBrowser })).close();
  const { name, tokens } = await tokensOf();
  await credentials().change((values) => {
    values[name] = JSON.stringify({ ...tokens, access_token: 'expired', refresh_token: 'over' });
  });
  await expect(connect()).rejects.toMatchObject({ code: 'login_required' });
  expect((await tokensOf()).name).toBe('');
});

it('a no on the page that asks keeps nothing', async () => {
  const deny = async (url: string) => {
    void letIn(alice, new URL(url), 'deny').then((back) => fetch(back));
  };
  await expect(connect({ openBrowser: deny })).rejects.toMatchObject({
    code: 'login_denied',
    message: 'the sign-in failed: access_denied',
  });
  expect((await tokensOf()).name).toBe('');
});

it('a return that is not ours signs nobody in', async () => {
  const forge = async (url: string) => {
    const { searchParams } = new URL(url);
    const forged = new URL(searchParams.get('redirect_uri') ?? '');
    forged.search = new URLSearchParams({ code: 'stolen', state: 'guessed' }).toString();
    expect((await fetch(forged)).status).toBe(404);
    await openBrowser(url);
  };
  const connection = await connect({ openBrowser: forge });
  expect((await connection.call('market_clock', {}, signal)).ok).toBe(true);
  await connection.close();
});
