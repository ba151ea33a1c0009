import { describe, expect, it } from 'vitest';
import { resolveModelServer } from '../../../../src/agent/model/model-server.ts';

const openai = 'OPENAI-KEY';
const env = { OPENAI_API_KEY: openai, OPENROUTER_API_KEY: 'ROUTER-KEY' };
const settings = (name: string, base_url?: string) => ({
  provider: 'openai' as const,
  name,
  ...(base_url === undefined ? {} : { base_url }),
});

describe('a model’s server', () => {
  it.each([
    ['gpt-5-mini', 'gpt-5-mini', 'https://api.openai.com/v1', openai],
    ['openai/gpt-5-mini', 'gpt-5-mini', 'https://api.openai.com/v1', openai],
    ['openrouter/meta-llama/llama-3', 'meta-llama/llama-3', 'https://openrouter.ai/api/v1', 'ROUTER-KEY'],
    ['ollama/llama3.2', 'llama3.2', 'http://127.0.0.1:11434/v1', undefined],
    ['lmstudio/qwen3', 'qwen3', 'http://127.0.0.1:1234/v1', undefined],
    ['vllm/meta-llama/Llama-3', 'meta-llama/Llama-3', 'http://127.0.0.1:8000/v1', undefined],
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

  it('never gets a key made for another', () => {
    for (const url of ['https://evil.example/v1', 'https://api.openai.com.evil.example/v1']) {
      expect(resolveModelServer(settings('gpt-5-mini', url), env, undefined).key).toBeUndefined();
    }
    expect(resolveModelServer(settings('openrouter/x'), env, undefined).key).not.toBe(openai);
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
