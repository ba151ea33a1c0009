import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { checkCertificate } from '../../../src/app/home/doctor.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const cert = fixture('loopback-cert.pem');
const key = fixture('loopback-key.pem');
const authority = readFileSync(cert, 'utf8');
/** The fixture's own end. */
const ENDS_AT = Date.parse('2126-11-01T03:18:40Z');
const DAY = 86_400_000;

const server = createServer({ cert: authority, key: readFileSync(key) }, (_request, response) => response.end());
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const port = (server.address() as AddressInfo).port;
afterAll(() => void server.close());

const found = async (
  settings: { address: string; tls?: { cert: string; key: string } },
  { now = Date.now(), trusts = authority }: { now?: number; trusts?: string | undefined } = {},
) => {
  const { signal } = new AbortController();
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
  const findings = await checkCertificate({ clock, signal }, settings, trusts);
  return findings.map(({ check, status, message }) => `${check} ${status}: ${message}`);
};
const address = () => `https://localhost:${port}`;

it('a certificate that phones trust is found good, and by its files too', async () => {
  expect(await found({ address: address(), tls: { cert, key } })).toEqual([
    expect.stringMatching(/^tls ok: .*loopback-cert\.pem is for localhost, valid for \d+ more days$/),
    expect.stringMatching(/^certificate ok: localhost is trusted, valid for \d+ more days$/),
  ]);
});

it('one that nobody vouches for is not', async () => {
  const [line] = await found({ address: address() }, { trusts: readFileSync(fixture('renewed-cert.pem'), 'utf8') });
  expect(line).toMatch(/^certificate fail: phones will not trust localhost: /);
});

it.each([
  ['soon', ENDS_AT - 3 * DAY, 'warn', /expires in 3 days/],
  ['ago', ENDS_AT + DAY, 'fail', /has expired/],
])('one that ends %s is said', async (_, now, status, says) => {
  const lines = await found({ address: address(), tls: { cert, key } }, { now });
  for (const line of lines) {
    expect(line).toMatch(says);
    expect(line).toContain(` ${status}: `);
  }
});

it.each([
  ['for another name', 'https://home.example', { cert, key }, /^tls fail: .* is not for home\.example$/],
  [
    'with another key',
    'https://localhost',
    { cert, key: fixture('renewed-key.pem') },
    /^tls fail: .* is not the private key for /,
  ],
  ['that is not there', 'https://localhost', { cert: '/nowhere.pem', key }, /^tls fail: .*\(ENOENT\)$/],
])('files of one %s are found', async (_, of, tls, says) => {
  const [line] = await found({ address: `${of}:1`, tls });
  expect(line).toMatch(says);
});

it('where nothing answers it is left open, and without https there is none', async () => {
  expect(await found({ address: 'https://localhost:1' })).toEqual([
    'certificate skip: nothing responds at localhost:1 yet',
  ]);
  expect(await found({ address: 'http://localhost:1' })).toEqual([]);
});
