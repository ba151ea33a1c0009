import { describe, expect, it } from 'vitest';
import { modelProviderNames, modelServerUrl, resolveModelServer } from '../../../../src/agent/model/model-server.ts';

const openai = 'OPENAI-KEY';
const env = {
  OPENAI_API_KEY: openai,
  ANTHROPIC_API_KEY: 'ANTHROPIC-KEY',
  GEMINI_API_KEY: 'GEMINI-KEY',
  MISTRAL_API_KEY: 'MISTRAL-KEY',
  GROQ_API_KEY: 'GROQ-KEY',
  OPENROUTER_API_KEY: 'ROUTER-KEY',
};
const settings = (name: string, base_url?: string) => ({
  provider: 'openai' as const,
  name,
  ...(base_url === undefined ? {} : { base_url }),
});

describe('a model’s server', () => {
  it.each([
    ['gpt-5-mini', 'gpt-5-mini', 'https://api.openai.com/v1', openai],
    ['openai/gpt-5-mini', 'gpt-5-mini', 'https://api.openai.com/v1', openai],
    ['anthropic/claude-x', 'claude-x', 'https://api.anthropic.com/v1', 'ANTHROPIC-KEY'],
    ['gemini/gemini-x', 'gemini-x', 'https://generativelanguage.googleapis.com/v1beta/openai', 'GEMINI-KEY'],
    ['mistral/mistral-x', 'mistral-x', 'https://api.mistral.ai/v1', 'MISTRAL-KEY'],
    ['groq/openai/gpt-oss-20b', 'openai/gpt-oss-20b', 'https://api.groq.com/openai/v1', 'GROQ-KEY'],
    ['openrouter/meta-llama/llama-3', 'meta-llama/llama-3', 'https://openrouter.ai/api/v1', 'ROUTER-KEY'],
    ['ollama/llama3.2', 'llama3.2', 'http://127.0.0.1:11434/v1', undefined],
    ['lmstudio/qwen3', 'qwen3', 'http://127.0.0.1:1234/v1', undefined],
    ['ollama/qwen3:4b', 'qwen3:4b', 'http://127.0.0.1:11434/v1', undefined],
    ['vllm/meta-llama/Llama-3', 'meta-llama/Llama-3', 'http://127.0.0.1:8000/v1', undefined],
    ['llama.cpp/gemma', 'gemma', 'http://127.0.0.1:8080/v1', undefined],
  ])('goes by the name in %s', (model, name, url, key) => {
    expect(resolveModelServer(settings(model), env, undefined)).toMatchObject({ name, url, key });
  });

  it('may be elsewhere than where its name says', () => {
    expect(resolveModelServer(settings('vllm/llama', 'https://gpu.example.com/v1'), env, undefined)).toMatchObject({
      name: 'llama',
      url: 'https://gpu.example.com/v1',
    });
  });

  it('whose name only looks like one keeps it', () => {
    expect(resolveModelServer(settings('meta-llama/x', 'http://127.0.0.1:1/v1'), env, undefined).name).toBe(
      'meta-llama/x',
    );
  });

  it.each(['antropic/claude-x', 'meta-llama/x', 'OpenAI/gpt-5', '/x', 'openai/', 'toString/x', '__proto__/x'])(
    'is not guessed for %s, whose provider is unknown',
    (name) => {
      for (const find of [
        () => modelServerUrl(settings(name)),
        () => resolveModelServer(settings(name), { ...env, TRADE_AGENT_API_KEY: 'OWN' }, 'STORED'),
      ]) {
        expect(find).toThrow(
          expect.objectContaining({
            code: 'invalid_config',
            hint: expect.stringContaining(modelProviderNames.join(', ')) as unknown,
          }),
        );
      }
    },
  );

  it('never gets a key made for another', () => {
    for (const url of ['https://evil.example/v1', 'https://api.openai.com.evil.example/v1']) {
      expect(resolveModelServer(settings('gpt-5-mini', url), env, undefined).key).toBeUndefined();
    }
    const keys = modelProviderNames.map((name) => resolveModelServer(settings(`${name}/x`), env, undefined).key);
    const given = keys.filter((key) => key !== undefined);
    expect(new Set(given).size).toBe(given.length);
  });

  it('gets TRADE_AGENT_API_KEY, whichever it is, before the stored key, and that before the preset’s variable', () => {
    const own = { ...env, TRADE_AGENT_API_KEY: 'OWN' };
    expect(resolveModelServer(settings('x', 'http://127.0.0.1:1/v1'), own, undefined).key).toBe('OWN');
    expect(resolveModelServer(settings('openai/x'), own, undefined).key).toBe('OWN');
    expect(resolveModelServer(settings('openai/x'), own, 'STORED').key).toBe('OWN');
    expect(resolveModelServer(settings('openai/x'), env, 'STORED').key).toBe('STORED');
  });

  it('that wants a key is refused without one, before anything is sent', () => {
    expect(() => resolveModelServer(settings('openrouter/x'), {}, undefined)).toThrow(
      /no API key for x at openrouter.ai/,
    );
    expect(() => resolveModelServer(settings('x'), { OPENAI_API_KEY: '' }, undefined)).toThrow(/no API key/);
  });
});
