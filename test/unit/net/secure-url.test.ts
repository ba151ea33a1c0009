import { expect, it } from 'vitest';
import { isSecureUrl, requireSecureUrl } from '../../../src/net/secure-url.ts';

it.each([
  'https://example.com',
  'http://localhost:4747',
  'http://127.0.0.1',
  'http://127.8.9.10:1',
  'http://[::1]:80/x',
])('%s is where tokens may go', (address) => {
  expect(isSecureUrl(address)).toBe(true);
  expect(requireSecureUrl(address).href).toBe(new URL(address).href);
});

it.each([
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'http://[::ffff:7f00:1]',
  'ftp://127.0.0.1',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'nothing of the kind',
])('%s is not', (address) => {
  expect(isSecureUrl(address)).toBe(false);
  expect(() => requireSecureUrl(address)).toThrow(/is not an https address/);
});
