import { expect, it } from 'vitest';
import { isSecureUrl, mayReferTo, requireSecureUrl } from '../../../src/net/secure-url.ts';

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

it.each([
  ['https://id.acme.com', 'https://keys.acme.com/jwks', true],
  ['https://id.acme.com', 'https://127.0.0.1/jwks', false],
  ['https://id.acme.com', 'http://localhost:9200/', false],
  ['https://id.acme.com', 'https://10.0.0.7/', false],
  ['https://id.acme.com', 'https://[::ffff:10.0.0.7]/', false],
  ['https://id.acme.com', 'https://vault.internal/', false],
  ['https://id.acme.com', 'http://keys.acme.com/', false],
  ['https://id.acme.internal', 'https://10.0.0.7/', true],
  ['http://localhost:4747', 'http://127.0.0.1:4748/jwks', true],
])('metadata of %s may name %s: %s', (server, url, allowed) => {
  expect(mayReferTo(server, url)).toBe(allowed);
});
