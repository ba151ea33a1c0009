import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import type { Authenticator, Oddity } from '../signature/authenticator.ts';
import { createAuthenticator } from '../signature/authenticator.ts';
import { oddKeys } from '../signature/odd-keys.ts';
import {
  ADDRESS,
  authenticatorOf,
  createSigningWorld,
  detailsOf,
  type SigningWorld,
} from '../signature/signing-world.ts';

const MINUTE_MS = 60_000;

let world: SigningWorld;
let phone: Authenticator;
beforeEach(() => {
  world = createSigningWorld();
  phone = authenticatorOf();
});
afterEach(() => world.close());

const refused = (tried: Promise<unknown>, code: string) => expect(tried).rejects.toMatchObject({ code });
const pairingOf = async (sub: string) => {
  const { secret } = await world.keys.pair(sub);
  return { secret, challenge: (await world.keys.creationOptions({ secret })).challenge };
};
const namesOf = async (sub: string) => (await world.keys.list(sub)).map(({ name }) => name);

describe('a pairing', () => {
  it('enrols one key, for the person it was made for', async () => {
    const key = await world.enrol('alice', phone, 'Alice’s phone');
    expect(key).toMatchObject({ sub: 'alice', credentialId: phone.credentialId, algorithm: -7 });
    expect(await world.keys.list('alice')).toMatchObject([
      { name: 'Alice’s phone', method: 'webauthn', deviceType: 'singleDevice', transports: ['internal'] },
    ]);
    expect(world.lines().at(-1)).toMatchObject({
      event: 'key_enrolled',
      sub: 'alice',
      credential_id: phone.credentialId,
      by: 'pairing',
    });
  });

  it('asks for a discoverable key that is unlocked, and none that is enrolled already', async () => {
    await world.enrol('alice', phone);
    const { secret } = await world.keys.pair('alice');
    expect(await world.keys.creationOptions({ secret })).toMatchObject({
      rp: { id: 'localhost', name: 'trade-agent' },
      user: { name: 'alice' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: phone.credentialId }],
      pubKeyCredParams: expect.toSatisfy((all: { alg: number }[]) =>
        all.every(({ alg }) => [-7, -8, -257].includes(alg)),
      ),
    });
  });

  it('is used up by that, and by nothing less', async () => {
    const { secret } = await world.keys.pair('alice');
    await world.keys.pairing(secret);
    const { challenge } = await world.keys.creationOptions({ secret });
    await refused(world.keys.enroll({ secret }, phone.register(challenge, { uv: false }), 'phone'), 'key_refused');
    expect(await world.keys.pairing(secret)).toMatchObject({ sub: 'alice' });
    await world.keys.enroll({ secret }, phone.register(challenge), 'phone');
    expect(await world.keys.pairing(secret)).toBeUndefined();
    await expect(world.keys.enroll({ secret }, authenticatorOf().register(challenge), 'another')).rejects.toMatchObject(
      {
        status: 410,
        code: 'pairing_ended',
      },
    );
    await refused(world.keys.creationOptions({ secret }), 'pairing_ended');
  });

  it('ends after ten minutes', async () => {
    const { secret, expiresAt } = await world.keys.pair('alice');
    expect(expiresAt).toBe(world.clock.now() + 10 * MINUTE_MS);
    world.clock.pass(10 * MINUTE_MS);
    expect(await world.keys.pairing(secret)).toBeUndefined();
  });

  it.each<[string, Oddity]>([
    ['not unlocked', { uv: false }],
    ['with nobody there', { up: false }],
    ['on another site’s page', { origin: 'https://evil.example' }],
    ['within another site’s page', { crossOrigin: true }],
    ['for another site', { rpId: 'evil.example' }],
    ['as a signature', { type: 'webauthn.get' }],
    ['with another challenge', { challenge: Buffer.alloc(32) }],
    ['under an id of 1,024 bytes', { id: Buffer.alloc(1024, 7) }],
    ['with a counter that nothing exceeds', { counter: 2 ** 32 - 1 }],
    ...oddKeys.map(([what, , cose]) => [`with ${what}`, { cose }] as [string, Oddity]),
  ])('enrols no key that was made %s', async (_, oddity) => {
    const { secret, challenge } = await pairingOf('alice');
    await expect(world.keys.enroll({ secret }, phone.register(challenge, oddity), 'phone')).rejects.toMatchObject({
      status: 403,
      code: 'key_refused',
    });
    expect(await world.keys.list('alice')).toEqual([]);
  });

  it('enrols a key under an id of 1,023 bytes', async () => {
    const { secret, challenge } = await pairingOf('alice');
    const registration = phone.register(challenge, { id: Buffer.alloc(1023, 7) });
    expect(await world.keys.enroll({ secret }, registration, 'phone')).toMatchObject({ sub: 'alice' });
  });

  it('enrols no key that was made for another pairing, or too long ago', async () => {
    const { challenge: other } = await pairingOf('bob');
    const { secret, challenge } = await pairingOf('alice');
    const refused = { code: 'key_refused' };
    await expect(world.keys.enroll({ secret }, phone.register(other), 'x')).rejects.toMatchObject(refused);
    world.clock.pass(5 * MINUTE_MS + 1);
    await expect(world.keys.enroll({ secret }, phone.register(challenge), 'x')).rejects.toMatchObject(refused);
  });

  it('enrols no key twice', async () => {
    await world.enrol('alice', phone);
    await expect(world.enrol('bob', phone)).rejects.toMatchObject({ status: 409, code: 'key_known' });
  });
});

describe('another key', () => {
  let tablet: Authenticator;
  beforeEach(async () => {
    tablet = authenticatorOf('EdDSA');
    await world.enrol('alice', phone, 'phone');
  });
  const registered = async (authenticator: Authenticator, sub = 'alice') =>
    authenticator.register((await world.keys.creationOptions({ sub })).challenge);

  it('is enrolled by one that is, and no other way', async () => {
    const registration = await registered(tablet);
    const { challenge, allowCredentials } = await world.keys.keyActionOptions('alice', 'add', registration);
    expect(allowCredentials).toMatchObject([{ id: phone.credentialId }]);
    await world.keys.enroll({ sub: 'alice', assertion: phone.assert(challenge) }, registration, 'tablet');
    expect(await namesOf('alice')).toEqual(['phone', 'tablet']);
    expect(world.lines().at(-1)).toMatchObject({ event: 'key_enrolled', by: 'key' });
  });

  it('is not enrolled by itself, or by somebody else’s', async () => {
    const registration = await registered(tablet);
    const { challenge } = await world.keys.keyActionOptions('alice', 'add', registration);
    const by = (authenticator: Authenticator) =>
      world.keys.enroll({ sub: 'alice', assertion: authenticator.assert(challenge) }, registration, 'x');
    await refused(by(tablet), 'signature_key_unknown');
    const bobs = authenticatorOf();
    await world.enrol('bob', bobs);
    await refused(by(bobs), 'signature_key_of_another');
    expect(await namesOf('alice')).toEqual(['phone']);
  });

  it('is not enrolled by what was signed for another: not even under the same id', async () => {
    const registration = await registered(tablet);
    const { challenge } = await world.keys.keyActionOptions('alice', 'add', registration);
    const assertion = phone.assert(challenge);
    // A key of the liar's own, which says that it is the one that was signed for.
    const evil = createAuthenticator('ES256', { origin: ADDRESS, rpId: 'localhost' });
    const forged = { ...(await registered(evil)), id: tablet.credentialId, rawId: tablet.credentialId };
    await refused(world.keys.enroll({ sub: 'alice', assertion }, forged, 'x'), 'signature_challenge');
    await refused(world.keys.enroll({ sub: 'alice', assertion }, await registered(evil), 'x'), 'signature_challenge');
  });

  it('is not enrolled by what signs in, removes or approves', async () => {
    const registration = await registered(tablet);
    const challenges = [
      (await world.keys.signInOptions()).challenge,
      (await world.keys.keyActionOptions('alice', 'remove', tablet.credentialId)).challenge,
      (await world.keys.approvalOptions(detailsOf(), 'alice')).challenge,
    ];
    for (const challenge of challenges) {
      await refused(
        world.keys.enroll({ sub: 'alice', assertion: phone.assert(challenge) }, registration, 'x'),
        'signature_challenge',
      );
    }
  });

  it('removes one, which then opens nothing', async () => {
    await world.enrol('alice', tablet, 'tablet');
    const { challenge } = await world.keys.keyActionOptions('alice', 'remove', phone.credentialId);
    await world.keys.remove({ sub: 'alice', assertion: tablet.assert(challenge) }, phone.credentialId);
    expect(await namesOf('alice')).toEqual(['tablet']);
    const { challenge: signIn } = await world.keys.signInOptions();
    await refused(world.keys.signIn(phone.assert(signIn)), 'signature_key_removed');
    await refused(world.enrol('alice', phone), 'key_known');
    expect(world.lines().filter(({ event }) => event === 'key_removed')).toMatchObject([{ by: 'key' }]);
  });

  it('is not removed by itself, by somebody else’s, or for somebody else', async () => {
    await world.enrol('alice', tablet, 'tablet');
    const bobs = authenticatorOf();
    await world.enrol('bob', bobs);
    const { challenge } = await world.keys.keyActionOptions('alice', 'remove', phone.credentialId);
    const remove = (sub: string, by: Authenticator) =>
      world.keys.remove({ sub, assertion: by.assert(challenge) }, phone.credentialId);
    await refused(remove('alice', phone), 'signature_key_unknown');
    await refused(remove('alice', bobs), 'signature_key_of_another');
    await expect(remove('bob', bobs)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    expect(await namesOf('alice')).toEqual(['phone', 'tablet']);
  });

  it('can be removed at the machine, the last one too', async () => {
    await world.keys.remove('machine', phone.credentialId);
    expect(await world.keys.list('alice')).toEqual([]);
    await refused(world.keys.remove('machine', phone.credentialId), 'not_found');
  });
});

describe('a name', () => {
  it('is the person’s own, in one line, and never empty', async () => {
    await world.enrol('alice', phone, '  ');
    expect(await namesOf('alice')).toEqual(['Passkey']);
    await world.keys.rename('alice', phone.credentialId, 'kit\u001b[31mchen\n tablet');
    expect((await namesOf('alice')).join()).toMatch(/^kit[^\n\u001b]*tablet$/);
    await refused(world.keys.rename('bob', phone.credentialId, 'x'), 'not_found');
  });
});

describe('signing in', () => {
  beforeEach(() => world.enrol('alice', phone).then(() => undefined));
  const challengeOf = async () => (await world.keys.signInOptions()).challenge;

  it('says whose key it is, and keeps its counter', async () => {
    const key = await world.keys.signIn(phone.assert(await challengeOf()));
    expect(key).toMatchObject({ sub: 'alice', counter: phone.counter, lastUsedAt: world.clock.now() });
  });

  it('names no key beforehand: the browser offers those it has', async () => {
    expect(await world.keys.signInOptions()).toMatchObject({
      rpId: 'localhost',
      userVerification: 'required',
      allowCredentials: [],
    });
  });

  it('takes an answer once', async () => {
    const synced = createAuthenticator('ES256', { origin: ADDRESS, rpId: 'localhost' }, { counts: false });
    await world.enrol('bob', synced);
    const assertion = synced.assert(await challengeOf());
    await world.keys.signIn(assertion);
    await refused(world.keys.signIn(assertion), 'signature_challenge');
  });

  it('takes no answer after five minutes, and none to a challenge that was not drawn here', async () => {
    const challenge = await challengeOf();
    world.clock.pass(5 * MINUTE_MS + 1);
    for (const one of [challenge, Buffer.alloc(32).toString('base64url')]) {
      await refused(world.keys.signIn(phone.assert(one)), 'signature_challenge');
    }
  });

  it('takes no copy of a key', async () => {
    await world.keys.signIn(phone.assert(await challengeOf()));
    await refused(
      world.keys.signIn(phone.assert(await challengeOf(), { counter: phone.counter })),
      'signature_counter',
    );
  });

  it('takes no approval, nor the other way round', async () => {
    const { challenge } = await world.keys.approvalOptions(detailsOf(), 'alice');
    await refused(world.keys.signIn(phone.assert(challenge)), 'signature_challenge');
  });
});

describe('two processes of one home', () => {
  it('enrol and sign in by each other’s challenges, each once', async () => {
    const synced = createAuthenticator('ES256', { origin: ADDRESS, rpId: 'localhost' }, { counts: false });
    const { secret, challenge } = await pairingOf('alice');
    await world.another.enroll({ secret }, synced.register(challenge), 'phone');
    const assertion = synced.assert((await world.keys.signInOptions()).challenge);
    expect(await world.another.signIn(assertion)).toMatchObject({ sub: 'alice' });
    await refused(world.keys.signIn(assertion), 'signature_challenge');
  });

  it('may have clocks a few seconds apart', async () => {
    const { secret, challenge } = await pairingOf('alice');
    world.clock.pass(-5_000);
    await world.another.enroll({ secret }, phone.register(challenge), 'phone');
  });
});

describe('what is asked of a passkey for an approval', () => {
  it('is its statement, of the person’s own keys, unlocked', async () => {
    await world.enrol('alice', phone);
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    const options = await world.keys.approvalOptions(detailsOf(), 'alice');
    expect(options).toMatchObject({
      rpId: 'localhost',
      userVerification: 'required',
      allowCredentials: [{ id: phone.credentialId, type: 'public-key', transports: ['internal'] }],
      statement: { purpose: 'trade-agent.approval', proposal: detailsOf().proposal, decision: 'approve' },
    });
    expect(options.allowCredentials).toHaveLength(1);
  });

  it('is nothing where there is none, and says what to do', async () => {
    await expect(world.keys.approvalOptions(detailsOf(), 'alice')).rejects.toMatchObject({
      code: 'signature_key_unknown',
      options: { hint: expect.stringContaining('home pair') },
    });
  });
});

describe('the terminal phone’s key', () => {
  it('is the same for the same secret and user, and nobody else’s', () => {
    const idOf = (secret: string, user: string) => deriveSoftwareKey(secret, user).credentialId;
    expect(idOf('secret', 'alice')).toBe(idOf('secret', 'alice'));
    expect(idOf('secret', 'bob')).not.toBe(idOf('secret', 'alice'));
    expect(idOf('other', 'alice')).not.toBe(idOf('secret', 'alice'));
  });

  it('is enrolled once, however often, and says what it is', async () => {
    const key = deriveSoftwareKey('secret', 'alice');
    await world.keys.enrollSoftwareKey('alice', key);
    await world.keys.enrollSoftwareKey('alice', key);
    expect(await world.keys.list('alice')).toMatchObject([{ method: 'software', name: 'Terminal phone' }]);
    expect(world.lines()).toMatchObject([{ event: 'key_enrolled', method: 'software', by: 'machine' }]);
    await refused(world.keys.enrollSoftwareKey('bob', key), 'key_known');
  });

  it('gives way to that of a newer secret; passkeys stay', async () => {
    await world.enrol('alice', phone);
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('newer', 'alice'));
    expect((await world.keys.list('alice')).map(({ credentialId }) => credentialId)).toEqual([
      phone.credentialId,
      deriveSoftwareKey('newer', 'alice').credentialId,
    ]);
  });

  it('signs nobody in', async () => {
    const key = deriveSoftwareKey('secret', 'alice');
    await world.keys.enrollSoftwareKey('alice', key);
    const { evidence } = await world.keys.check(detailsOf(), key.sign(detailsOf(), { origin: ADDRESS }), 'alice');
    const assertion = {
      ...phone.assert('x'),
      id: key.credentialId,
      response: {
        authenticatorData: evidence.authenticator_data,
        clientDataJSON: evidence.client_data_json,
        signature: evidence.signature,
      },
    };
    await refused(world.keys.signIn(assertion), 'signature_challenge');
  });
});
