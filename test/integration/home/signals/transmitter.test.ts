import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProposalWorld, startProposalWorld } from '../../approval/world.ts';
import { openLinkByHttp, pairByHttp } from '../http-browser.ts';
import { AUDIENCE, startCompany } from './company.ts';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
/** It looks once a second. */
const SEEN = { timeout: 5_000 };

/** Somebody else's receiver: notes what comes, and answers as it is told to. */
interface Receiver {
  readonly url: string;
  readonly came: { readonly type: string | undefined; readonly token: string }[];
  answer: number;
  close(): void;
}

async function startReceiver(): Promise<Receiver> {
  const came: Receiver['came'] = [];
  const server = createServer((request, response) => {
    let token = '';
    request.on('data', (chunk) => {
      token += chunk;
    });
    request.on('end', () => {
      came.push({ type: request.headers['content-type'], token });
      response.writeHead(receiver.answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    came,
    answer: 202,
    close: () => void server.close(),
  };
  return receiver;
}

/** A home that lists the other as a company: our own receiver's code. */
const options: { signalReceivers: { endpoint: string; audience: string }[] } = { signalReceivers: [] };
const receiver = await startReceiver();
const company = await startCompany();
const world = await startProposalWorld(options);
const { issuer } = world.sandbox.ready;
const { listed } = company;
const listening = await startProposalWorld({
  companies: [{ ...listed, issuer, name: 'The other home', people: { alice: 'alice', bob: 'bob' } }],
});
options.signalReceivers = [
  { endpoint: receiver.url, audience: 'https://receiver.example' },
  { endpoint: `${listening.sandbox.ready.issuer}/signals/events`, audience: AUDIENCE },
];
await world.restart();
afterAll(async () => {
  await world.close();
  await listening.close();
  await company.close();
  receiver.close();
});

const rowsOf = (of: ProposalWorld, sql: string): unknown[] => {
  const database = new Database(join(of.folder, 'sandbox', 'identity-provider.db'), { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
};
const events = () => receiver.came.map(({ token }) => decodeJwt(token)) as Record<string, never>[];
const isSeen = (kind: string, user: string, n: number) =>
  expect
    .poll(
      () => rowsOf(world, `SELECT id FROM transmitter_seen WHERE kind = '${kind}' AND user = '${user}'`),
      SEEN,
    )
    .toHaveLength(n);

describe('a home tells its receivers', () => {
  it('how, in its metadata', async () => {
    const { issuer } = world.sandbox.ready;
    const found = await fetch(`${issuer}/.well-known/ssf-configuration`);
    expect([found.status, await found.json()]).toEqual([
      200,
      {
        spec_version: '1_0',
        issuer,
        jwks_uri: `${issuer}/jwks`,
        delivery_methods_supported: ['urn:ietf:rfc:8935'],
        default_subjects: 'ALL',
      },
    ]);
    // One that tells nobody says nothing.
    expect((await fetch(`${listening.sandbox.ready.issuer}/.well-known/ssf-configuration`)).status).toBe(404);
  });

  it('that a person ended a sign-in, by a token that anybody can verify; and a home that lists it acts on it', async () => {
    const { issuer } = world.sandbox.ready;
    await world.as('alice');
    await isSeen('session', 'alice', 1);
    expect(receiver.came).toEqual([]);
    const browser = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const page = await (await browser.visit('/phone/programs')).text();
    const [, id = ''] = /name="id" value="([^"]+)"/.exec(page) ?? [];
    await browser.submit('/phone/programs', '/phone/programs/sign-out', { id });
    await expect.poll(() => receiver.came.length, SEEN).toBe(1);
    const [{ token, type } = { token: '', type: '' }] = receiver.came;
    expect(type).toBe('application/secevent+jwt');
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(`${issuer}/jwks`)),
      { issuer, audience: 'https://receiver.example', typ: 'secevent+jwt' },
    );
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: issuer,
      aud: 'https://receiver.example',
      iat: expect.any(Number),
      jti: expect.any(String),
      sub_id: {
        format: 'complex',
        user: { format: 'iss_sub', iss: issuer, sub: 'alice' },
        session: { format: 'opaque', id },
      },
      events: {
        [`${CAEP}/session-revoked`]: { event_timestamp: expect.any(Number), initiating_entity: 'user' },
      },
    });
    await expect
      .poll(() => rowsOf(listening, 'SELECT user, issuer, event FROM signalled'), SEEN)
      .toEqual([{ user: 'alice', issuer, event: 'session-revoked' }]);
  });

  it('that a passkey came, also where the receiver is out of reach and the home goes down meanwhile: the same token again', async () => {
    receiver.came.length = 0;
    receiver.answer = 503;
    await pairByHttp((await world.phone.pairing('alice')).url);
    await expect.poll(() => receiver.came.length, SEEN).toBeGreaterThan(0);
    await world.restart(async () => {
      receiver.answer = 202;
    });
    await expect.poll(() => rowsOf(world, 'SELECT id FROM signal_outbox'), { timeout: 10_000 }).toEqual([]);
    expect(receiver.came.length).toBeGreaterThan(1);
    expect(new Set(receiver.came.map(({ token }) => token)).size).toBe(1);
    expect(events()[0]).toMatchObject({
      sub_id: { format: 'iss_sub', sub: 'alice' },
      events: { [`${CAEP}/credential-change`]: { change_type: 'create' } },
    });
  });

  it('nothing twice that a receiver refuses for good', async () => {
    receiver.came.length = 0;
    receiver.answer = 400;
    await pairByHttp((await world.phone.pairing('alice')).url);
    await expect.poll(() => receiver.came.length, SEEN).toBe(1);
    await expect.poll(() => rowsOf(world, 'SELECT id FROM signal_outbox'), SEEN).toEqual([]);
    expect(receiver.came).toHaveLength(1);
  });

  it('of somebody who was removed: their key, and they themselves', async () => {
    receiver.came.length = 0;
    receiver.answer = 202;
    world.sandbox.people.remove('bob');
    await expect
      .poll(() => events().map(({ sub_id, events: all }) => [sub_id, all && Object.keys(all)]), SEEN)
      .toEqual(
        expect.arrayContaining(
          ['credential-change', 'session-revoked'].map((event) => [
            { format: 'iss_sub', iss: world.sandbox.ready.issuer, sub: 'bob' },
            [`${CAEP}/${event}`],
          ]),
        ),
      );
  });
});
