import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProposalDetails, proposalDigest } from '../../../../src/approval/details.ts';
import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import { approvalStatement, type Evidence, statementChallenge } from '../../../../src/approval/signature/statement.ts';
import type { SigningKey } from '../../../../src/store/signing-key-store.ts';
import type { Authenticator } from './authenticator.ts';
import { oddKeys } from './odd-keys.ts';
import {
  ADDRESS,
  authenticatorOf,
  createSigningWorld,
  detailsOf,
  type SigningWorld,
  START,
  signed,
} from './signing-world.ts';

let world: SigningWorld;
/** Alice's, enrolled. */
let phone: Authenticator;
let enrolled: SigningKey;
beforeEach(async () => {
  world = createSigningWorld();
  phone = authenticatorOf();
  enrolled = await world.enrol('alice', phone);
});
afterEach(() => world.close());

/** It is refused with this code, and nothing of it is kept. */
async function refuses(
  code: string,
  evidence: unknown,
  { details = detailsOf(), sub = 'alice', in: { keys, lines, store } = world }: Refused = {},
): Promise<void> {
  const counter = async () => (await store.byId(phone.credentialId))?.counter;
  const before = await counter();
  await expect(keys.check(details, evidence, sub)).rejects.toMatchObject({ status: 403, code });
  expect(await counter()).toBe(before);
  expect(lines().filter(({ event }) => event === 'signed')).toEqual([]);
}
interface Refused {
  readonly details?: ProposalDetails;
  readonly sub?: string;
  readonly in?: SigningWorld;
}

/** Rightly signed evidence, with something of it changed afterwards. */
function changed(more: Partial<Record<keyof Evidence, unknown>>): Record<string, unknown> {
  return { ...signed(phone), ...more };
}
function saying(more: Partial<Record<keyof Evidence['statement'], unknown>>): Record<string, unknown> {
  const evidence = signed(phone);
  return { ...evidence, statement: { ...evidence.statement, ...more } };
}
/** Has the store know a key as it should never have been enrolled. */
async function enrolledAs(evil: Authenticator, changes: Partial<SigningKey>): Promise<void> {
  const key = { ...enrolled, credentialId: evil.credentialId, ...changes };
  await world.store.enroll(key, 'machine', { event: 'key_enrolled', facts: {} }, START);
  evil.counter = 10;
}
const bytesOf = (text: string) => Buffer.from(text, 'base64url');
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
function flipped(text: string, at: number): string {
  const bytes = bytesOf(text);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return textOf(bytes);
}
const other = detailsOf({ proposal: 'pr_another000000000', nonce: 'BBBBBBBBBBBBBBBBBBBBBB' });

describe('evidence that can’t be read is refused', () => {
  it('none', () => refuses('signature_missing', undefined));
  it('null', () => refuses('signature_missing', null));
  it('text', () => refuses('signature_malformed', JSON.stringify(signed(phone))));
  it('an array', () => refuses('signature_malformed', [signed(phone)]));
  it('a member more', () => refuses('signature_malformed', { ...signed(phone), user_handle: 'x' }));
  it('a member less', () => {
    const { signature: _, ...rest } = signed(phone);
    return refuses('signature_malformed', rest);
  });
  it('a statement with a member more', () =>
    refuses('signature_malformed', saying({ note: 'x' } as Record<string, unknown>)));
  it('base64 that is not base64url', () =>
    refuses('signature_malformed', changed({ signature: `${signed(phone).signature}==` })));
  it('authenticator data cut short', () =>
    refuses(
      'signature_malformed',
      changed({ authenticator_data: textOf(bytesOf(signed(phone).authenticator_data).subarray(0, 36)) }),
    ));
  it('authenticator data with something behind', () =>
    refuses('signature_malformed', changed({ authenticator_data: `${signed(phone).authenticator_data}AAAA` })));
  it('client data cut short', () =>
    refuses(
      'signature_malformed',
      changed({ client_data_json: textOf(bytesOf(signed(phone).client_data_json).subarray(0, 60)) }),
    ));
  it.each(['null', '7', '"text"', '[]'])('client data that is %s', (json) =>
    refuses('signature_malformed', changed({ client_data_json: textOf(Buffer.from(json)) })),
  );
  it('by a method that nobody knows', () => refuses('signature_method', changed({ method: 'totp' })));
});

describe('a statement of something else is refused', () => {
  it('another purpose', () => refuses('signature_purpose', saying({ purpose: 'trade-agent.key' })));
  it('another version', () => refuses('signature_version', saying({ v: 2 })));
  it('another gateway', () => refuses('signature_gateway', saying({ gateway: 'http://localhost:4748' })));
  it('another proposal', () => refuses('signature_proposal', saying({ proposal: other.proposal })));
  it('another digest', () => refuses('signature_digest', saying({ digest: 'A'.repeat(43) })));
  it('another approver', () => refuses('signature_key_of_another', saying({ sub: 'bob' })));
  it('another code', () => refuses('signature_code', saying({ code: '7K3N' })));
  it('a better worst case', () =>
    refuses('signature_worst_case', saying({ worst_case: { ...detailsOf().worst_case, cash: '9.09' } })));
  it('no worst case', () => refuses('signature_worst_case', saying({ worst_case: null })));
  it('a denial', () => refuses('signature_decision', saying({ decision: 'deny' })));
  it('another nonce', () => refuses('signature_nonce', saying({ nonce: other.nonce })));
  it('five shares, where fifty are to be bought', async () => {
    const { kind, worst_case, provenance, requested_by, client } = detailsOf();
    const subject = { symbol: 'AAPL', side: 'buy', qty: '50' };
    const digest = proposalDigest({ kind, subject, worst_case, provenance, requested_by, client });
    await refuses('signature_digest', signed(phone), { details: detailsOf({ subject, digest }) });
  });
  it('details that are for another gateway, rightly signed', async () => {
    const details = detailsOf({ locations: ['http://localhost:4748'] });
    await refuses('signature_gateway', signed(phone, details), { details });
  });
  it('a proposal from before there were nonces', async () => {
    const { nonce: _, ...details } = detailsOf();
    await refuses('signature_nonce', signed(phone), { details });
  });
  it('what was signed for another proposal', () =>
    refuses('signature_proposal', signed(phone, other), { details: detailsOf() }));
  it('what was signed for another proposal, its statement made to fit', () => {
    const { statement } = signed(phone);
    return refuses('signature_challenge', { ...signed(phone, other), statement });
  });
  it('what was signed for the very same order, proposed renewed', async () => {
    const before = signed(phone);
    const renewed = detailsOf({ nonce: other.nonce });
    await refuses(
      'signature_challenge',
      { ...before, statement: approvalStatement(renewed, 'alice') },
      { details: renewed },
    );
  });
});

describe('what was signed elsewhere or otherwise is refused', () => {
  const odd = (oddity: Parameters<typeof signed>[2]) => signed(phone, detailsOf(), oddity);
  it('another challenge', () => refuses('signature_challenge', odd({ challenge: Buffer.alloc(32) })));
  it('as a registration', () => refuses('signature_type', odd({ type: 'webauthn.create' })));
  it('as a payment', () => refuses('signature_type', odd({ type: 'payment.get' })));
  it('on another port’s page', () => refuses('signature_origin', odd({ origin: 'http://localhost:4748' })));
  it('on a page of that name over TLS', () => refuses('signature_origin', odd({ origin: 'https://localhost:4747' })));
  it('within another site’s page', () => refuses('signature_cross_origin', odd({ crossOrigin: true })));
  it('within another site’s page, by its name alone', () =>
    refuses('signature_cross_origin', odd({ topOrigin: 'https://evil.example' })));
  it('for another site', () => refuses('signature_rp', odd({ rpId: 'evil.example' })));
  it('with nobody there', () => refuses('signature_presence', odd({ up: false })));
  it('without unlocking', () => refuses('signature_verification', odd({ uv: false })));
  it('by a key that can be synced now', () => refuses('signature_device', odd({ be: true })));
  it('by a key that was synced though it can’t be', () => refuses('signature_device', odd({ bs: true })));
  it('with the same count again', () => refuses('signature_counter', odd({ counter: enrolled.counter })));
  it('with no count any more', () => refuses('signature_counter', odd({ counter: 0 })));
  it('with a lower count than what was signed since', async () => {
    const late = signed(phone);
    phone.counter = 40;
    await world.store.recordUse({ credentialId: phone.credentialId, counter: 41, backedUp: false }, START);
    await refuses('signature_counter', late);
  });
});

describe('what the right key did not sign is refused', () => {
  it('a key that is not enrolled', () => refuses('signature_key_unknown', signed(authenticatorOf())));
  it('a key that was removed', async () => {
    await world.keys.remove('machine', phone.credentialId);
    await refuses('signature_key_removed', signed(phone));
  });
  it('somebody else’s key', async () => {
    const bobs = authenticatorOf();
    await world.enrol('bob', bobs);
    await refuses('signature_key_of_another', signed(bobs));
  });
  it('one’s own key for somebody else’s approval', () =>
    refuses('signature_key_of_another', signed(phone, detailsOf(), {}, 'bob'), { sub: 'bob' }));
  it('what one signed oneself, as somebody else’s approval', () =>
    refuses('signature_key_of_another', signed(phone), { sub: 'bob' }));
  it('another key under this one’s name', () => {
    const evil = authenticatorOf();
    evil.counter = 100;
    return refuses('signature_wrong', { ...signed(evil), credential_id: phone.credentialId });
  });
  it('a signature with a bit changed', () =>
    refuses('signature_wrong', changed({ signature: flipped(signed(phone).signature, 20) })));
  it('a signature cut short', () =>
    refuses('signature_wrong', changed({ signature: textOf(bytesOf(signed(phone).signature).subarray(0, -8)) })));
  it.each<readonly [string, (der: Buffer) => Buffer]>([
    ['with a length in two bytes', (der) => Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)])],
    ['with a byte behind', (der) => Buffer.concat([der, Buffer.alloc(1)])],
    [
      'with a third integer',
      (der) => Buffer.concat([Buffer.from([0x30, (der[1] ?? 0) + 3]), der.subarray(2), Buffer.from([2, 1, 0])]),
    ],
    [
      'with an r that has a zero more',
      (der) => {
        const [length = 0, r = 0] = [der[1], der[3]];
        return Buffer.concat([Buffer.from([0x30, length + 1, 2, r + 1, 0]), der.subarray(4)]);
      },
    ],
  ])('a signature that is not DER: %s', (_what, spell) =>
    refuses('signature_wrong', changed({ signature: textOf(spell(bytesOf(signed(phone).signature))) })),
  );
  it('base64url of a length that no bytes have', () =>
    refuses('signature_malformed', changed({ authenticator_data: `${signed(phone).authenticator_data}AAA` })));
  it('base64url with a bit set that no byte has', () => {
    // 37 bytes leave four bits of the last character unused.
    const data = signed(phone).authenticator_data;
    const next = String.fromCharCode(data.charCodeAt(data.length - 1) + 1);
    return refuses('signature_malformed', changed({ authenticator_data: `${data.slice(0, -1)}${next}` }));
  });
  it('authenticator data that attests a key', () => {
    const data = bytesOf(signed(phone).authenticator_data);
    data[32] = (data[32] ?? 0) | 64;
    return refuses('signature_malformed', changed({ authenticator_data: textOf(data) }));
  });
  it.each(oddKeys)('a key with %s (%s), had it been enrolled', async (_what, algorithm, publicKey) => {
    const evil = authenticatorOf(algorithm);
    await enrolledAs(evil, { publicKey: new Uint8Array(publicKey), algorithm: evil.algorithm });
    await refuses('signature_algorithm', signed(evil));
  });
  it('another signature of the same key', () =>
    refuses('signature_wrong', changed({ signature: signed(phone, other).signature })));
  it('a count raised afterwards', () =>
    refuses('signature_wrong', changed({ authenticator_data: flipped(signed(phone).authenticator_data, 33) })));
  it('user verification claimed afterwards', () => {
    const evidence = signed(phone, detailsOf(), { uv: false });
    const data = bytesOf(evidence.authenticator_data);
    data[32] = 0x05;
    return refuses('signature_wrong', { ...evidence, authenticator_data: textOf(data) });
  });
  it('an origin corrected afterwards', () => {
    const evidence = signed(phone, detailsOf(), { origin: 'https://evil.example' });
    const said = bytesOf(evidence.client_data_json).toString().replace('https://evil.example', ADDRESS);
    return refuses('signature_wrong', { ...evidence, client_data_json: textOf(Buffer.from(said)) });
  });
  it('a challenge put in afterwards', () => {
    const evidence = signed(phone, other);
    const client = JSON.parse(bytesOf(evidence.client_data_json).toString()) as Record<string, unknown>;
    const statement = approvalStatement(detailsOf(), 'alice');
    const challenge = statementChallenge(statement).toString('base64url');
    const forged = textOf(Buffer.from(JSON.stringify({ ...client, challenge })));
    return refuses('signature_wrong', { ...evidence, statement, client_data_json: forged });
  });
  it('a key of an algorithm that is not accepted', async () => {
    const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({
      format: 'jwk',
    });
    const cose = Buffer.concat([
      Buffer.from('a5010203382220022158', 'hex'),
      Buffer.from([48]),
      bytesOf(x),
      Buffer.from('225830', 'hex'),
      bytesOf(y),
    ]);
    const evil = authenticatorOf();
    await enrolledAs(evil, { publicKey: new Uint8Array(cose), algorithm: -35 });
    await refuses('signature_algorithm', signed(evil));
  });
  it('a key that is of another algorithm than it was enrolled as', async () => {
    const evil = authenticatorOf('RS256');
    await enrolledAs(evil, { publicKey: evil.publicKey, algorithm: -7 });
    await refuses('signature_algorithm', signed(evil));
  });
});

describe('a software key is refused', () => {
  const sign = (secret = 'secret') => deriveSoftwareKey(secret, 'alice').sign(detailsOf(), { origin: ADDRESS });
  it('where such keys don’t count, though it is enrolled', async () => {
    const strict = createSigningWorld({ softwareKeys: false });
    await expect(strict.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'))).rejects.toMatchObject({
      code: 'signature_software',
    });
    const { publicKey, credentialId } = deriveSoftwareKey('secret', 'alice');
    const software = { algorithm: -8, counter: 0, method: 'software' as const };
    const key = { ...enrolled, credentialId, publicKey, ...software };
    await strict.store.enroll(key, 'machine', { event: 'key_enrolled', facts: {} }, START);
    await refuses('signature_software', sign(), { in: strict });
    strict.close();
  });
  it('of another secret', async () => {
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    await refuses('signature_key_unknown', sign('another'));
  });
  it('of a secret that was changed since', async () => {
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('newer', 'alice'));
    await refuses('signature_key_removed', sign());
  });
  it('that says it is a passkey', async () => {
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    await refuses('signature_method', { ...sign(), method: 'webauthn' });
  });
  it('that a passkey says it is', () => refuses('signature_method', changed({ method: 'software' })));
});

describe('an approval that was signed rightly', () => {
  it('does not count any more where the key was removed before it was acted on', async () => {
    const evidence = signed(phone);
    await world.keys.check(detailsOf(), evidence, 'alice');
    await world.keys.remove('machine', phone.credentialId);
    await expect(world.keys.check(detailsOf(), evidence, 'alice')).rejects.toMatchObject({
      code: 'signature_key_removed',
    });
    // What was begun is looked at again all the same.
    await world.keys.check(detailsOf(), evidence, 'alice', { isFirst: false });
  });
  it('does not count where it was never kept, though it is said to have been', async () => {
    await world.keys.remove('machine', phone.credentialId);
    await expect(world.keys.check(detailsOf(), signed(phone), 'alice', { isFirst: false })).rejects.toMatchObject({
      code: 'signature_key_removed',
    });
  });
});
