import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { pairByHttp } from './http-browser.ts';

const world = await startIdentityProvider();
afterAll(() => world.close());

const KILOBYTE = 1000;

it('a page with all that it loads is small, and nothing in it is inline', async () => {
  const { browser } = await pairByHttp((await world.phone.pairing('alice')).url);
  const shell = await (await browser.visit('/phone', { headers: { accept: 'text/html', 'x-phone-key': '' } })).text();
  const fragment = await (await browser.visit('/phone')).text();
  const assets = [...new Set((shell + fragment).match(/\/phone\/assets\/[\w-]+\/[\w.-]+/g))];
  expect(assets.map((path) => path.split('/').at(-1)).sort()).toEqual(
    expect.arrayContaining(['approvals.js', 'passkeys.js', 'phone.css', 'shell.js']),
  );
  const loaded = await Promise.all(
    assets.map(async (path) => {
      const answer = await fetch(world.issuer + path);
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get('cache-control')).toContain('immutable');
      expect(answer.headers.get('content-encoding')).toBe('gzip');
      const plain = await fetch(world.issuer + path, { headers: { 'accept-encoding': 'gzip;q=0' } });
      expect(plain.headers.get('content-encoding')).toBeNull();
      const text = await answer.text();
      expect(await plain.text()).toBe(text);
      return text;
    }),
  );
  const size = [shell, fragment, ...loaded].reduce((sum, text) => sum + gzipSync(text).length, 0);
  expect(size).toBeLessThan(60 * KILOBYTE);
  for (const page of [shell, fragment]) {
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
  }
  const elsewhere = assets[0]?.replace(/assets\/[\w-]+/, 'assets/another') ?? '';
  expect((await fetch(world.issuer + elsewhere)).status).toBe(404);
});
