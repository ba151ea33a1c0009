import { describe, expect, it } from 'vitest';
import { withModelOptions } from '../../../src/app/chosen-model.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';

const profile = { name: 'mine', model: { provider: 'builtin' } } as ResolvedProfile;

describe('--base-url', () => {
  it.each([
    'http://models.example.com/v1',
    'http://192.168.1.5:11434/v1',
    'http://localhost.example.com/v1',
    'http://127.0.0.1.example.com/v1',
    'http://127.0.0.1@models.example.com/v1',
    'http://0.0.0.0:11434/v1',
  ])('is refused where it sends the conversation in the clear: %s', (baseUrl) => {
    const wrong = () => withModelOptions(profile, { model: 'x', baseUrl });
    expect(wrong).toThrow(/must be an https address; plain http is allowed only for servers on this machine/);
    expect(wrong).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it.each(['https://models.example.com/v1', 'http://127.0.0.1:11434/v1', 'http://localhost:1/v1', 'http://[::1]:1/v1'])(
    'takes %s',
    (baseUrl) => {
      expect(withModelOptions(profile, { model: 'x', baseUrl }).model).toEqual({
        provider: 'openai',
        name: 'x',
        base_url: baseUrl,
      });
    },
  );
});
