import { describe, expect, it } from 'vitest';
import { serverProfileName } from '../../../src/config/server-profile-name.ts';

describe('what a server is known by here', () => {
  it.each([
    'https://agents.example',
    'https://agents.example/of/a/firm',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'https://a-very-long-name-of-a-host.with.many.parts.example',
    'no address',
  ])('is fit to be a profile’s name: %s', (address) => {
    expect(serverProfileName(address)).toMatch(/^[a-z0-9][a-z0-9_-]{0,31}$/);
  });

  it('differs by port and path, and by no slash at its end', () => {
    const names = ['https://a.example', 'https://a.example:444', 'https://a.example/x', 'http://a.example'].map(
      serverProfileName,
    );
    expect(new Set(names).size).toBe(4);
    expect(serverProfileName('https://a.example/')).toBe(names[0]);
  });
});
