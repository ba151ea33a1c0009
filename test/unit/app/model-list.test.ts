import { describe, expect, it } from 'vitest';
import { modelListHeaders } from '../../../src/agent/model/model-server.ts';
import type { AgentOptions, App } from '../../../src/app/app.ts';
import { SERVER_MODEL, switchModel } from '../../../src/app/chat.ts';
import { listModels, readModelNames } from '../../../src/app/model-list.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';

/** Lists with servers that offer these models, by host. Returns also the keys that each host was sent. */
async function listed(
  profile: Partial<ResolvedProfile>,
  offers: Readonly<Record<string, unknown>>,
  { env = {}, options = {} }: { env?: NodeJS.ProcessEnv; options?: AgentOptions } = {},
) {
  const keys: Record<string, string | null> = {};
  const app = {
    env,
    signal: new AbortController().signal,
    writtenProfile: async () => ({ model: { provider: 'builtin' }, ...profile }),
    store: async () => ({ get: async () => ({}) }) as unknown as CredentialStore,
    fetch: async (url: string, { headers }: RequestInit) => {
      const { host, pathname } = new URL(url);
      keys[host] = new Headers(headers).get('authorization');
      if (!Object.hasOwn(offers, host)) throw new TypeError('connection refused');
      expect(pathname).toMatch(/\/models$/);
      return Response.json(offers[host]);
    },
  } as unknown as App;
  const models = await listModels(app, options);
  return { models: models.map(({ name, server }) => `${name} ${server ?? ''}`.trim()), keys };
}

const named = (...ids: string[]) => ({ data: ids.map((id) => ({ id })) });

it('lists the planner, and what the servers with a key or without need of one offer', async () => {
  const offers = { 'api.openai.com': named('gpt-a', 'gpt-b'), '127.0.0.1:11434': named('llama3.2') };
  const { models, keys } = await listed({}, offers, { env: { OPENAI_API_KEY: 'k1' } });
  expect(models).toEqual([
    'builtin',
    'openai/gpt-a api.openai.com',
    'openai/gpt-b api.openai.com',
    'ollama/llama3.2 127.0.0.1:11434',
  ]);
  expect(keys['api.openai.com']).toBe('Bearer k1');
  // Without a key of its own, it was not asked.
  expect(keys).not.toHaveProperty('openrouter.ai');
});

it('sends the chosen server’s key to no other server', async () => {
  const model = { provider: 'openai', name: 'mine', base_url: 'https://models.example.com/v1' } as const;
  const env = { TRADE_AGENT_API_KEY: 'secret' };
  const { models, keys } = await listed({ model }, { 'models.example.com': named('mine', 'theirs') }, { env });
  expect(models).toEqual(['builtin', 'mine models.example.com', 'theirs models.example.com']);
  expect(Object.entries(keys).filter(([, key]) => key !== null)).toEqual([['models.example.com', 'Bearer secret']]);
});

it('names the models of a chosen preset as they are chosen', async () => {
  const { models } = await listed({}, { '127.0.0.1:1234': named('a', 'b') }, { options: { model: 'lmstudio/a' } });
  expect(models).toEqual(['builtin', 'lmstudio/a 127.0.0.1:1234', 'lmstudio/b 127.0.0.1:1234']);
});

it('names Gemini’s models as they are chosen', async () => {
  const offers = { 'generativelanguage.googleapis.com': named('models/gemini-x') };
  const { models } = await listed({}, offers, { env: { GEMINI_API_KEY: 'k' } });
  expect(models).toEqual(['builtin', 'gemini/gemini-x generativelanguage.googleapis.com']);
});

it.each([[{ data: 'none' }], [{}], ['text']])('does without the list of a server that answers %j', async (answer) => {
  expect((await listed({}, { '127.0.0.1:11434': answer })).models).toEqual(['builtin']);
});

it('does without a list that never ends', async () => {
  let sent = 0;
  const piece = new Uint8Array(64 * 1024).fill(0x20);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += piece.byteLength;
      controller.enqueue(piece);
    },
  });
  expect(await readModelNames(new Response(body))).toBeUndefined();
  expect(sent).toBeLessThan(8 * 1024 * 1024);
});

it('sends Anthropic’s key in its own header, and to it alone', () => {
  const server = (url: string) => ({ name: 'x', url, key: 'k', keyVariable: 'K' });
  expect(modelListHeaders(server('https://api.anthropic.com/v1'))).toEqual({
    'x-api-key': 'k',
    'anthropic-version': '2023-06-01',
  });
  expect(modelListHeaders(server('https://api.anthropic.com.evil.example/v1'))).toEqual({ authorization: 'Bearer k' });
  expect(modelListHeaders({ ...server('https://api.anthropic.com/v1'), key: undefined })).toEqual({});
});

it('leaves the models of a server that runs the agent to that server', async () => {
  expect((await listed({ server: 'https://agents.example.com' }, {})).models).toEqual([]);
});

describe('the model of an agent on a server', () => {
  const onServer = { profile: async () => ({ server: 'https://agents.example' }) } as unknown as App;

  it('is the server’s own or the planner', async () => {
    expect(await switchModel(onServer, { readOnly: true }, 'builtin')).toEqual({ readOnly: true, model: 'builtin' });
    expect(await switchModel(onServer, { readOnly: true, model: 'builtin' }, SERVER_MODEL)).toEqual({ readOnly: true });
  });

  it('can be no other, and says which it can be', async () => {
    await expect(switchModel(onServer, {}, 'openai/gpt-5')).rejects.toMatchObject({
      code: 'usage',
      hint: 'Choose server (the server’s own model) or builtin (the planner).',
    });
  });
});
