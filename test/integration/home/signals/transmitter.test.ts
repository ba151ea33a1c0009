import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { startProposalWorld } from '../../approval/world.ts';
import { openHttpRecorder } from '../../notify/http-recorder.ts';
import { openLinkByHttp, pairByHttp } from '../http-browser.ts';
import { AUDIENCE, rowsOf, startCompany } from './company.ts';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
/** It looks once a second. */
const SEEN = { timeout: 5_000 };

/** A home that lists the other as a company: our own receiver's code. */
const options: { signalReceivers: { endpoint: string; audience: string }[] } = { signalReceivers: [] };
const receiver = await openHttpRecorder();
const company = await startCompany();
const world = await startProposalWorld(options);
const { issuer } = world.sandbox.ready;
const { listed } = company;
const listening = await startProposalWorld({
  companies: [{ ...listed, issuer, name: 'The other home', people: { alice: 'alice', bob: 'bob' } }],
});
options.signalReceivers = [
  { endpoint: `${receiver.url}/events`, audience: 'https://receiver.example' },
  { endpoint: `${listening.sandbox.ready.issuer}/signals/events`, audience: AUDIENCE },
];
await world.restart();
afterAll(async () => {
  await world.close();
  await listening.close();
  await company.close();
  await receiver.close();
});

const events = () => receiver.requests.map(({ body }) => decodeJwt(body)) as Record<string, never>[];
const isSeen = (kind: string, user: string, n: number) =>
  expect
    .poll(() => rowsOf(world, `SELECT id FROM transmitter_seen WHERE kind = '${kind}' AND username = '${user}'`), SEEN)
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
    expect(receiver.requests).toEqual([]);
    const browser = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const page = await (await browser.visit('/phone/programs')).text();
    const [, id = ''] = /name="id" value="([^"]+)"/.exec(page) ?? [];
    await browser.submit('/phone/programs', '/phone/programs/sign-out', { id });
    await expect.poll(() => receiver.requests.length, SEEN).toBe(1);
    const [{ body: token, headers } = { body: '', headers: {} }] = receiver.requests;
    expect(headers).toMatchObject({ 'content-type': 'application/secevent+jwt' });
    const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(`${issuer}/jwks`)), {
      issuer,
      audience: 'https://receiver.example',
      typ: 'secevent+jwt',
    });
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
      .poll(() => rowsOf(listening, 'SELECT username AS user, issuer, event FROM signalled'), SEEN)
      .toEqual([{ user: 'alice', issuer, event: 'session-revoked' }]);
  });

  it('that a passkey came, also where the receiver is out of reach and the home goes down meanwhile: the same token again', async () => {
    receiver.requests.length = 0;
    receiver.answer(...Array(1000).fill(503));
    await pairByHttp((await world.phone.pairing('alice')).url);
    await expect.poll(() => receiver.requests.length, SEEN).toBeGreaterThan(0);
    await world.restart(async () => {
      receiver.answer();
    });
    await expect.poll(() => rowsOf(world, 'SELECT id FROM signal_outbox'), { timeout: 10_000 }).toEqual([]);
    expect(receiver.requests.length).toBeGreaterThan(1);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    expect(events()[0]).toMatchObject({
      sub_id: { format: 'iss_sub', sub: 'alice' },
      events: { [`${CAEP}/credential-change`]: { change_type: 'create' } },
    });
  });

  it('nothing twice that a receiver refuses for good', async () => {
    receiver.requests.length = 0;
    receiver.answer(400);
    await pairByHttp((await world.phone.pairing('alice')).url);
    await expect.poll(() => receiver.requests.length, SEEN).toBe(1);
    await expect.poll(() => rowsOf(world, 'SELECT id FROM signal_outbox'), SEEN).toEqual([]);
    expect(receiver.requests).toHaveLength(1);
  });

  it('of somebody who was removed: their key, and they themselves', async () => {
    receiver.requests.length = 0;
    await world.sandbox.people.remove('bob');
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
