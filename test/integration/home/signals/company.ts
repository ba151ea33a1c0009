import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { CryptoKey, JWTHeaderParameters } from 'jose';
import type { Company } from '../../../../src/home/identity-provider/companies/company.ts';
import { systemClock } from '../../../../src/machine/clock.ts';
import { companyOfTests, newClient, startIssuer } from '../companies/company-issuer.ts';
import { type CompanyPerson, personOf } from '../companies/company-person.ts';

export const CLIENT = 'trade-agent-acme';
export const AUDIENCE = 'https://home.example/signals';
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

const seconds = () => Math.floor(Date.now() / 1000);

type Claims = Record<string, unknown>;
type Header = Partial<JWTHeaderParameters>;

export type TestCompany = Awaited<ReturnType<typeof startCompany>>;

/** A company's identity provider, as far as a home sees one: an address with metadata and keys, and what it signs. */
export async function startCompany() {
  const { issuer, sign, close } = await startIssuer();
  const client = await newClient(CLIENT);
  const assertion = (home: string, sub: string, claims: Claims = {}) =>
    sign({
      iss: issuer,
      sub,
      aud: home,
      client_id: CLIENT,
      jti: randomUUID(),
      iat: seconds(),
      exp: seconds() + 300,
      resource: home,
      scope: 'portfolio:read orders:read orders:propose orders:cancel',
      ...claims,
    });
  const redeem = (home: string, given: string) => personOf({ issuer: home, gateway: home }, client, given);
  const signIn = async (home: string, sub: string) => redeem(home, await assertion(home, sub));
  /** As home.yaml lists it. */
  const listed: Company = companyOfTests(issuer, client, {
    scopes: ['market:read', 'portfolio:read', 'orders:read', 'orders:cancel', 'orders:propose'],
    people: { 'acme-alice': 'alice', 'acme-bob': 'bob' },
    groups: false,
    signals: { audience: AUDIENCE },
  });
  return {
    issuer,
    listed,
    /** An ID-JAG that nobody has redeemed. */
    assertion,
    redeem,
    /** Signs a person in at a home: an ID-JAG, redeemed by the company's client. */
    signIn,
    /** Of the second after a signal on, a company's word counts again, where it does. */
    signInAgain: async (home: string, sub = 'acme-alice'): Promise<CompanyPerson> => {
      const until = Date.now() + 5_000;
      for (;;) {
        const found = await signIn(home, sub).catch((error: Error) => error);
        if (!(found instanceof Error)) return found;
        if (Date.now() > until) throw found;
        await systemClock.sleep(50);
      }
    },
    /** A Security Event Token that is as it must be, but for what is said otherwise; `undefined` leaves a claim out. */
    event: (claims: Claims = {}, header: Header = {}, key?: CryptoKey | Uint8Array) =>
      sign(
        {
          iss: issuer,
          aud: AUDIENCE,
          jti: randomUUID(),
          iat: seconds(),
          sub_id: { format: 'iss_sub', iss: issuer, sub: 'acme-alice' },
          events: { [SESSION_REVOKED]: { event_timestamp: seconds(), initiating_entity: 'admin' } },
          ...claims,
        },
        { typ: 'secevent+jwt', ...header },
        key,
      ),
    /** A logout token, likewise. */
    logout: (claims: Claims = {}, header: Header = {}) =>
      sign(
        {
          iss: issuer,
          aud: CLIENT,
          sub: 'acme-alice',
          sid: 'a session of theirs',
          jti: randomUUID(),
          iat: seconds(),
          exp: seconds() + 120,
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
          ...claims,
        },
        { typ: 'logout+jwt', ...header },
      ),
    close,
  };
}

/** Of a home's database. */
export function rowsOf({ folder }: { readonly folder: string }, sql: string): unknown[] {
  const database = new Database(join(folder, 'sandbox', 'identity-provider.db'), { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** Pushes a Security Event Token to a home (RFC 8935 §2.1). */
export async function push(home: string, token: string, type = 'application/secevent+jwt') {
  return answerOf(
    await fetch(`${home}/signals/events`, { method: 'POST', headers: { 'content-type': type }, body: token }),
  );
}

/** Posts a logout token (Back-Channel Logout 1.0 §2.5). */
export async function logOut(home: string, token: string) {
  const response = await fetch(`${home}/backchannel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  });
  return { ...(await answerOf(response)), headers: response.headers };
}

async function answerOf(response: Response): Promise<{ status: number; body: Claims | undefined }> {
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
