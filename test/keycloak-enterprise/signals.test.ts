import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/home/identity-provider/companies/company.ts';
import { formatUtcSeconds } from '../../src/machine/clock.ts';
import { type Person, type ProposalWorld, startProposalWorld } from '../integration/approval/world.ts';
import { startCompany, type TestCompany } from '../integration/home/signals/company.ts';
import { unpackKeycloak } from '../keycloak/distribution.ts';
import { type Admin, adminOf, ask } from '../keycloak/keycloak-admin.ts';
import { type KeycloakServer, startKeycloak } from '../keycloak/keycloak-server.ts';
import { ALICE, CLIENT, companyRealm } from './realm.ts';

/** It pushes every thirty seconds. */
const PUSHED = { timeout: 60_000, interval: 250 };
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-keycloak-enterprise-'));
const distribution = await unpackKeycloak(folder, process.env.KEYCLOAK_VERSION ?? '26.7.3');
if ('missing' in distribution) process.stderr.write(`Skipped: ${distribution.missing}.\n`);

let keycloak: KeycloakServer;
let admin: Admin;
/** Whose ID-JAGs Keycloak takes, as a second receiver. */
let issuing: TestCompany;
let world: ProposalWorld;
let alice: Person;
const options: { companies: Company[] } = { companies: [] };

const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
const asClient = { client_id: CLIENT.id, client_secret: CLIENT.secret };
const token = (fields: Record<string, string>) =>
  ask<{ access_token: string; refresh_token?: string }>(
    `${keycloak.issuer}/protocol/openid-connect/token`,
    form({ ...asClient, ...fields }),
  );
const signIn = (password = ALICE.password) =>
  token({ grant_type: 'password', username: ALICE.username, password, scope: 'openid' });

/** The stream that Keycloak pushes to our home. @returns its audience */
async function openStream(home: string): Promise<string> {
  const [client] = await admin<{ id: string }[]>('GET', `/clients?clientId=${CLIENT.id}`);
  const scopes = await admin<{ id: string; name: string }[]>('GET', '/client-scopes');
  for (const { id } of scopes.filter(({ name }) => name.startsWith('ssf.'))) {
    await admin('PUT', `/clients/${client?.id}/default-client-scopes/${id}`);
  }
  const { access_token } = await token({ grant_type: 'client_credentials', scope: 'ssf.manage ssf.read' });
  const { aud } = await ask<{ aud: string[] }>(`${keycloak.issuer}/ssf/transmitter/streams`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: `${home}/signals/events` },
      events_requested: [`${CAEP}/session-revoked`, `${CAEP}/credential-change`],
    }),
  });
  return aud[0] ?? '';
}

beforeAll(async () => {
  if ('missing' in distribution) return;
  issuing = await startCompany();
  world = await startProposalWorld(options);
  const home = world.sandbox.ready.issuer;
  keycloak = await startKeycloak({
    home: distribution.home,
    realm: companyRealm(home),
    settings: [
      '--features=ssf,identity-assertion-jwt',
      '--spi-ssf-transmitter--default--allow-insecure-push-targets=true',
    ],
  });
  admin = adminOf(new URL(keycloak.issuer).origin);
  const listed: Company = {
    ...issuing.listed,
    issuer: keycloak.issuer,
    name: 'Keycloak',
    people: { [ALICE.id]: 'alice' },
    signals: { audience: await openStream(home) },
  };
  options.companies = [listed];
  await world.restart();
  alice = await world.as('alice');
});
afterAll(async () => {
  await keycloak?.close();
  await world?.close();
  await issuing?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** What our home took, the latest last. */
function taken(): { event: string; reason: string }[] {
  const database = new Database(join(world.folder, 'sandbox', 'identity-provider.db'), { readonly: true });
  try {
    return database
      .prepare<[], { event: string; reason: string }>(
        "SELECT event, reason FROM signalled WHERE username = 'alice' AND ended_at IS NOT NULL ORDER BY id",
      )
      .all();
  } finally {
    database.close();
  }
}

/** A mandate of alice's: what goes out without her, which a signal has rest. */
async function mandate(): Promise<() => Promise<unknown>> {
  const { id, code } = await alice.propose({
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      max_order_notional: '200',
      max_total_notional: '600',
      max_orders: 5,
      expires_at: formatUtcSeconds(Date.now() + 86_400_000),
    },
  });
  await alice.tap(code);
  const { result } = await alice.until(id, 'executed');
  const { mandate: granted } = result as { mandate: string };
  return async () => (await alice.send('GET', `/v1/mandates/${granted}`)).body.state;
}

async function seen(event: string, since: number, before: number): Promise<void> {
  await expect
    .poll(
      () =>
        taken()
          .slice(before)
          .map((one) => one.event),
      PUSHED,
    )
    .toContain(event);
  process.stdout.write(`${event}: seen after ${((Date.now() - since) / 1000).toFixed(1)} s\n`);
}

describe.skipIf('missing' in distribution)('Keycloak, a company’s identity provider', () => {
  it('tells our home of a logout, which has what goes out without its person rest', async () => {
    const state = await mandate();
    expect(await state()).toBe('active');
    await signIn();
    const since = Date.now();
    await admin('POST', `/users/${ALICE.id}/logout`);
    // Its back-channel logout comes at once; the signal with the next push.
    await seen('backchannel-logout', since, 0);
    expect(await state()).toBe('suspended');
    await seen('session-revoked', since, 0);
  });

  it('tells our home of a password that was changed', async () => {
    const before = taken().length;
    const since = Date.now();
    await admin('PUT', `/users/${ALICE.id}/reset-password`, {
      type: 'password',
      value: 'another one',
      temporary: false,
    });
    await seen('credential-change', since, before);
  });

  it('tells of somebody who is disabled by back-channel logout, where their sessions are ended with it', async () => {
    await signIn('another one');
    const before = taken().length;
    const since = Date.now();
    const user = await admin<Record<string, unknown>>('GET', `/users/${ALICE.id}`);
    await admin('PUT', `/users/${ALICE.id}`, { ...user, enabled: false });
    await admin('POST', `/users/${ALICE.id}/logout`);
    await seen('backchannel-logout', since, before);
    await admin('PUT', `/users/${ALICE.id}`, { ...user, enabled: true });
  });
});

describe.skipIf('missing' in distribution)('Keycloak, a second receiver of an ID-JAG', () => {
  beforeAll(async () => {
    await admin('POST', '/identity-provider/instances', {
      alias: 'issuing',
      providerId: 'oidc',
      enabled: true,
      config: {
        issuer: issuing.issuer,
        jwksUrl: `${issuing.issuer}/jwks`,
        useJwksUrl: 'true',
        validateSignature: 'true',
        authorizationUrl: `${issuing.issuer}/authorize`,
        tokenUrl: `${issuing.issuer}/token`,
        clientId: 'keycloak',
        clientSecret: 'unused',
        jwtAuthorizationGrantEnabled: 'true',
        jwtAuthorizationGrantAssertionReuseAllowed: 'false',
        jwtAuthorizationGrantMaxAllowedAssertionExpiration: '300',
        jwtAuthorizationGrantAssertionSignatureAlg: 'ES256',
      },
    });
    await admin('POST', `/users/${ALICE.id}/federated-identity/issuing`, {
      identityProvider: 'issuing',
      userId: 'acme-alice',
      userName: 'alice',
    });
    const [client] = await admin<{ id: string; attributes: Record<string, string> }[]>(
      'GET',
      `/clients?clientId=${CLIENT.id}`,
    );
    const attributes = {
      ...client?.attributes,
      'oauth2.jwt.authorization.grant.enabled': 'true',
      'oauth2.jwt.authorization.grant.idp': 'issuing',
    };
    await admin('PUT', `/clients/${client?.id}`, { ...client, attributes });
  });

  const redeem = (assertion: string) =>
    fetch(`${keycloak.issuer}/protocol/openid-connect/token`, {
      ...form({ ...asClient, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
      signal: AbortSignal.timeout(30_000),
    });
  /** As our issuers make it, for Keycloak as the resource's authorization server. */
  const assertion = (claims: Record<string, unknown> = {}) =>
    issuing.assertion(keycloak.issuer, 'acme-alice', { resource: keycloak.issuer, ...claims });

  it('takes the one that our issuers make, once, for the person whom it names', async () => {
    const idJag = await assertion();
    const response = await redeem(idJag);
    const body = (await response.json()) as { access_token?: string; token_type?: string };
    expect([response.status, body]).toEqual([200, expect.objectContaining({ token_type: 'Bearer' })]);
    const [, payload = ''] = (body.access_token ?? '').split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ sub: ALICE.id });
    expect((await redeem(idJag)).status).toBe(400);
  });

  it.each([
    ['for another server', { aud: 'https://other.example' }],
    ['for another client', { client_id: 'another-client' }],
    ['that has expired', { iat: 1_000, exp: 1_300 }],
    ['of somebody it does not know', { sub: 'acme-carol' }],
  ])('refuses one %s, as ours does', async (_, claims) => {
    expect((await redeem(await assertion(claims))).status).toBe(400);
  });
});
