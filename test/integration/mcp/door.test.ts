import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { sharedMcpWorld } from './mcp-world.ts';

const { world, tokens } = sharedMcpWorld();

const ALL = 'market:read portfolio:read orders:read orders:cancel orders:propose';
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

const ask = (headers: Record<string, string>, init: RequestInit = {}) =>
  fetch(world.url, { method: 'POST', body: list, ...init, headers: { ...json, ...headers } });
const code = async (response: Response) => ((await response.json()) as { code: string }).code;
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

describe('the door of /mcp', () => {
  it.each(['GET', 'HEAD', 'POST', 'DELETE', 'PUT'])('asks for a token before anything else: %s', async (method) => {
    const response = await fetch(world.url, { method });
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate') ?? '';
    const metadata = `${new URL(world.url).origin}/.well-known/oauth-protected-resource/mcp`;
    expect(challenge).toMatch(/^DPoP .*, Bearer /);
    expect(challenge.split(`scope="${ALL}"`)).toHaveLength(3);
    expect(challenge).toContain(`resource_metadata="${metadata}"`);
  });

  it('tells of itself, and never of what could trade (RFC 9728)', async () => {
    const { origin } = new URL(world.url);
    const response = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await response.json()).toMatchObject({
      resource: world.url,
      authorization_servers: [origin],
      scopes_supported: ALL.split(' '),
      bearer_methods_supported: ['header'],
      dpop_bound_access_tokens_required: false,
    });
  });

  it('lets a token for it in, and answers other methods than POST with 405', async () => {
    expect((await ask(bearer(tokens.alice))).status).toBe(200);
    for (const method of ['GET', 'DELETE']) {
      const { status } = await fetch(world.url, { method, headers: { ...json, ...bearer(tokens.alice) } });
      expect(status, method).toBe(405);
    }
  });

  it('gives nobody a token that could trade', async () => {
    const refused = world.token('helper-bot', 'alice', { scopes: ['orders:read', 'orders:write'] });
    const claims = await refused.then(
      (text) => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as { scope: string },
      () => ({ scope: '' }),
    );
    expect(claims.scope).not.toContain('orders:write');
  });

  it('answers under no other name: DNS rebinding', async () => {
    const { port } = new URL(world.url);
    for (const host of ['evil.example', `evil.example:${port}`, `localhost.evil.example:${port}`]) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const headers = { ...json, ...bearer(tokens.alice), host };
        request({ port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end(list);
      });
      expect(status, host).toBe(421);
    }
  });

  it.each(['https://evil.example', 'null', 'http://localhost:1'])(
    'answers no page of another site: Origin %s',
    async (origin) => {
      for (const method of ['POST', 'GET']) {
        const from = await fetch(world.url, {
          method,
          headers: { ...json, ...bearer(tokens.alice), origin },
          ...(method === 'POST' ? { body: list } : {}),
        });
        expect(from.status, method).toBe(403);
        expect(from.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  it('takes a bound token by DPoP alone, with a proof for /mcp', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    const bound = await world.token('helper-bot', 'alice', { dpop: pair });
    const proof = (htu: string) =>
      new SignJWT({
        htm: 'POST',
        htu,
        jti: crypto.randomUUID(),
        ath: createHash('sha256').update(bound).digest('base64url'),
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(pair.privateKey);
    const authorization = `DPoP ${bound}`;
    expect((await ask({ authorization, dpop: await proof(world.url) })).status).toBe(200);
    const elsewhere = await ask({
      authorization,
      dpop: await proof(`${new URL(world.url).origin}/v1/orders`),
    });
    expect(await code(elsewhere)).toBe('dpop_proof_url');
    expect(await code(await ask(bearer(bound)))).toBe('token_bound');
  });
});
