import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import type { Oddity } from '../../../unit/approval/signature/authenticator.ts';
import { createAuthenticator } from '../../../unit/approval/signature/authenticator.ts';
import { oddKeys } from '../../../unit/approval/signature/odd-keys.ts';
import { signed } from '../../../unit/approval/signature/signing-world.ts';
import { challengeOf, createHttpBrowser } from '../../home/http-browser.ts';
import type { HostileWorld } from '../hostile-world.ts';
import type { KnownThings } from '../known-things.ts';
import { attackOn, type Row } from '../row.ts';

const area = 'phone';

const apiRoutes = [
  ['GET', '/phone/api/requests?user=alice'],
  ['GET', '/phone/api/requests/ID'],
  ['POST', '/phone/api/requests/ID'],
  ['POST', '/phone/api/device'],
  ['POST', '/phone/api/connections'],
  ['POST', '/phone/api/connections/details'],
  ['POST', '/phone/api/tickets'],
  ['POST', '/phone/api/pairings'],
  ['POST', '/phone/api/registrations'],
] as const;

const forms = [
  ...['/phone/requests/ID', '/phone/requests/ID/options', '/device', '/device/confirm', '/signin/options'],
  ...['/signin/passkey', '/signin/recovery', '/signout', '/phone/pair/options', '/phone/pair/enrol', '/phone/link'],
  ...['/phone/authenticators/recovery', '/phone/sessions/end', '/phone/programs/token', '/phone/programs/end'],
  ...['/connections/connect', '/connections/connect/options'],
];

const oddities: readonly (readonly [what: string, expected: string, oddity: Oddity])[] = [
  ['over another challenge', 'challenge', { challenge: Buffer.from('another challenge') }],
  ['that made a key', 'type', { type: 'webauthn.create' }],
  ['on another page', 'origin', { origin: 'https://evil.example' }],
  ['in a frame of another page', 'cross_origin', { crossOrigin: true }],
  ['for another host', 'rp', { rpId: 'evil.example' }],
  ['of nobody present', 'presence', { up: false }],
  ['of a phone that was not unlocked', 'verification', { uv: false }],
  ['of a key that can now be copied', 'device', { be: true, bs: true }],
  ['counted backwards', 'counter', { counter: 1 }],
];

/** Registrations with which nobody could prove anything, or a person could never sign. */
const registrations: readonly (readonly [what: string, oddity: Oddity])[] = [
  ...oddKeys.map(([what, , cose]) => [`with ${what}`, { cose }] as const),
  ['under an id of 1,024 bytes', { id: Buffer.alloc(1024, 7) }],
  ['under an id of 2,000 bytes', { id: Buffer.alloc(2000, 7) }],
  ['with a counter that nothing exceeds', { counter: 2 ** 32 - 1 }],
  ['of a phone that was not unlocked', { uv: false }],
  ['of nobody present', { up: false }],
  ['on another page', { origin: 'https://evil.example' }],
  ['in a frame of another page', { crossOrigin: true }],
  ['for another host', { rpId: 'evil.example' }],
  ['over another challenge', { challenge: Buffer.alloc(32) }],
  ['that is a signature', { type: 'webauthn.get' }],
];

/** Spells a DER signature in another way, with the same r and s. */
const spellings: readonly (readonly [what: string, spell: (der: Buffer) => Buffer])[] = [
  ['with a length in two bytes', (der) => Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)])],
  ['with a byte behind', (der) => Buffer.concat([der, Buffer.alloc(1)])],
  [
    'with a third integer',
    (der) => Buffer.concat([Buffer.from([0x30, (der[1] ?? 0) + 3]), der.subarray(2), Buffer.from([2, 1, 0])]),
  ],
  [
    'with a zero before r',
    (der) => Buffer.concat([Buffer.from([0x30, (der[1] ?? 0) + 1, 2, (der[3] ?? 0) + 1, 0]), der.subarray(4)]),
  ],
];

/** Client data that is JSON, and no object. */
const noClientData = ['null', '7', '"text"', '[]', 'true'];

export function phoneRows(hostile: HostileWorld, { open, phones }: KnownThings): Row[] {
  const { world } = hostile;
  const { issuer } = world.sandbox.ready;
  const { id, details } = open.request;
  const place = { origin: new URL(issuer).origin };
  const of = attackOn(area);
  const api = (method: string, path: string, body?: string, authorization = `Bearer ${world.sandbox.pairingSecret}`) =>
    fetch(`${issuer}${path.replace('ID', id)}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
  const rows: Row[] = [];
  for (const [method, path] of apiRoutes) {
    const at = `${method} ${path.replace(/\?.*/, '')}`;
    const body = method === 'POST' ? '{}' : undefined;
    for (const [what, authorization] of [
      ['no secret', ''],
      ['a wrong secret', 'Bearer guessed'],
      ['the secret as a password', `Basic ${world.sandbox.pairingSecret}`],
    ] as const) {
      rows.push(of(what, at, '401 unauthorized', () => api(method, path, body, authorization)));
    }
    if (method === 'GET') continue;
    const malformed: Record<string, string> = {
      ...{
        'no JSON': 'approve',
        'a list': '[]',
        null: 'null',
        'a number for a name': '{"user":7,"decision":7}',
      },
      ...{
        'a field more': '{"user":"alice","decision":"approve","as":"admin"}',
        'another word': '{"decision":"APPROVE"}',
      },
    };
    for (const [what, text] of Object.entries(malformed)) {
      rows.push(of(`a body: ${what}`, at, '400 invalid_request', () => api(method, path, text)));
    }
    rows.push(of('a body: 20,000 bytes', at, '413 too_large', () => api(method, path, `"${'x'.repeat(20_000)}"`)));
  }
  for (const user of ['mallory', 'ALICE', '__proto__', 'alice\\u0000', '']) {
    rows.push(
      of(`a person that there is none of: ${user}`, 'POST /phone/api/pairings', '404 unknown_user', () =>
        api('POST', '/phone/api/pairings', `{"user":"${user}"}`),
      ),
    );
    rows.push(
      of(`a person that there is none of: ${user}`, 'GET /phone/api/requests', '404 unknown_user', () =>
        api('GET', `/phone/api/requests?user=${encodeURIComponent(user)}`),
      ),
    );
  }

  const secret = world.sandbox.pairingSecret;
  const alice = deriveSoftwareKey(secret, 'alice');
  const altered = (changes: object) => () => alice.sign({ ...details, ...changes }, place);
  const evidence: (readonly [what: string, expected: string, make: () => unknown])[] = [
    ['nothing', 'missing', () => undefined],
    ['a word', 'malformed', () => 'approved'],
    ['a guessed secret’s key', 'key_unknown', () => deriveSoftwareKey('guessed', 'alice').sign(details, place)],
    ['Bob’s key', 'key_of_another', () => deriveSoftwareKey(secret, 'bob').sign(details, place)],
    ['Bob’s passkey', 'key_of_another', () => signed(phones.bobsPasskey, details)],
    [
      'a passkey that nobody enrolled',
      'key_unknown',
      () => signed(createAuthenticator('ES256', { ...place, rpId: 'localhost' }), details),
    ],
    [
      'the name of a passkey alone',
      'wrong',
      () => ({
        ...signed(createAuthenticator('ES256', { ...place, rpId: 'localhost' }), details, { counter: 1_000 }),
        credential_id: phones.passkey.credentialId,
      }),
    ],
    ['a signature over another code', 'code', altered({ code: 'AAAA' })],
    ['a signature over another nonce', 'nonce', altered({ nonce: 'x'.repeat(22) })],
    ['a signature over another order', 'digest', altered({ digest: 'A'.repeat(43) })],
    ['a signature over another proposal', 'proposal', altered({ proposal: 'pr_0123456789abcdef' })],
    [
      'a signature over a better worst case',
      'worst_case',
      altered({ worst_case: { cash: '1.00', price: null, text: 'Costs at most $1.00.' } }),
    ],
    ['a signature for another gateway', 'gateway', altered({ locations: ['https://evil.example'] })],
    ...oddities.map(
      ([what, code, oddity]) =>
        [`a passkey’s signature ${what}`, code, () => signed(phones.passkey, details, oddity)] as const,
    ),
  ];
  for (const [what, spell] of spellings) {
    evidence.push([
      `a passkey’s signature that is not DER, ${what}`,
      'wrong',
      () => {
        const honest = signed(phones.passkey, details);
        const spelled = spell(Buffer.from(honest.signature, 'base64url'));
        return { ...honest, signature: spelled.toString('base64url') };
      },
    ]);
  }
  for (const text of noClientData) {
    const client_data_json = Buffer.from(text).toString('base64url');
    evidence.push([
      `a passkey’s signature with the client data ${text}`,
      'malformed',
      () => ({ ...signed(phones.passkey, details), client_data_json }),
    ]);
  }
  for (const [what, code, make] of evidence) {
    rows.push(
      of(`approved by ${what}`, 'POST /phone/api/requests/ID', `403 signature_${code}`, () =>
        api('POST', '/phone/api/requests/ID', JSON.stringify({ decision: 'approve', evidence: make() })),
      ),
    );
  }
  rows.push(
    of('an id that there is none of', 'POST /phone/api/requests/ID', '404 not_found', () =>
      api('POST', '/phone/api/requests/nothing', '{"decision":"deny"}'),
    ),
  );

  const faults: readonly (readonly [what: string, headers: Record<string, string>, token: () => Promise<string>])[] = [
    ['no token of the form', {}, async () => ''],
    ['a wrong token of the form', {}, async () => 'x'.repeat(43)],
    ['the form’s token of another browser', {}, () => phones.bob.formToken('/phone')],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, () => phones.alice.formToken('/phone')],
    ['from a neighbor', { 'sec-fetch-site': 'same-site' }, () => phones.alice.formToken('/phone')],
    ['Origin: http://evil.example', { origin: 'http://evil.example' }, () => phones.alice.formToken('/phone')],
    ['the cookie without the page’s key', { 'x-phone-key': 'A'.repeat(43) }, () => phones.alice.formToken('/phone')],
  ];
  for (const path of forms) {
    for (const [what, headers, token] of faults) {
      rows.push(
        of(what, `POST ${path}`, '403', async () =>
          phones.alice.post(path.replace('ID', id), { form_token: await token(), decision: 'approve' }, headers),
        ),
      );
    }
  }
  const bobs = (decision: string) => async () =>
    phones.bob.post(`/phone/requests/${id}`, { form_token: await phones.bob.formToken('/phone'), decision });
  rows.push(of('Bob denies what Alice is asked', 'POST /phone/requests/ID', '404', bobs('deny')));
  rows.push(of('Bob approves what Alice is asked', 'POST /phone/requests/ID', '404', bobs('approve')));

  const signIn = async (make: (challenge: string) => string) => {
    const browser = createHttpBrowser(issuer);
    const options = await browser.submit('/signin', '/signin/options', {}, { accept: 'application/json' });
    return browser.submit('/signin', '/signin/passkey', { assertion: make(await challengeOf(options)) });
  };
  const own = (oddity: Oddity) => (challenge: string) => JSON.stringify(phones.passkey.assert(challenge, oddity));
  const pairing = async () => {
    const answer = await api('POST', '/phone/api/pairings', '{"user":"alice"}');
    return new URL(((await answer.json()) as { url: string }).url).hash.slice(1);
  };
  for (const [what, oddity] of registrations) {
    rows.push(
      of(`a new passkey ${what}`, 'POST /phone/pair/enrol', '403', async () => {
        const [browser, paired] = [createHttpBrowser(issuer), await pairing()];
        const path = '/phone/pair/options';
        const options = await browser.submit('/phone/pair', path, { secret: paired }, { accept: 'application/json' });
        const made = createAuthenticator('ES256', { ...place, rpId: 'localhost' });
        const registration = JSON.stringify(made.register(await challengeOf(options), oddity));
        return browser.submit('/phone/pair', '/phone/pair/enrol', { secret: paired, registration });
      }),
    );
  }
  const stranger = createAuthenticator('ES256', { ...place, rpId: 'localhost' });
  const signIns: readonly (readonly [what: string, make: (challenge: string) => string])[] = [
    ...oddities.map(([what, , oddity]) => [`a passkey’s signature ${what}`, own(oddity)] as const),
    ['a passkey that nobody enrolled', (challenge) => JSON.stringify(stranger.assert(challenge))],
  ];
  for (const [what, make] of signIns) rows.push(of(what, 'POST /signin/passkey', '401', () => signIn(make)));
  for (const text of ['me', '{}', '[]', 'null']) {
    rows.push(of(`no assertion: ${text}`, 'POST /signin/passkey', '400', () => signIn(() => text)));
  }
  for (const text of noClientData) {
    const clientDataJSON = Buffer.from(text).toString('base64url');
    const make = (challenge: string) => {
      const assertion = phones.passkey.assert(challenge);
      return JSON.stringify({ ...assertion, response: { ...assertion.response, clientDataJSON } });
    };
    rows.push(
      of(`a passkey’s signature with the client data ${text}`, 'POST /signin/passkey', '401', () => signIn(make)),
    );
  }
  for (const [username, code] of [
    ['alice', 'AAAA-AAAA-AAAA-AAAA'],
    ['alice', ''],
    ['', ''],
    ['mallory', 'AAAA-AAAA-AAAA-AAAA'],
  ]) {
    rows.push(
      of(
        `a wrong recovery code of ${username || 'nobody'}${code === '' ? ', empty' : ''}`,
        'POST /signin/recovery',
        '401',
        () =>
          createHttpBrowser(issuer).submit('/signin', '/signin/recovery', {
            username: username ?? '',
            code: code ?? '',
          }),
      ),
    );
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    for (const path of ['/phone', '/phone/api/requests', '/signin/options', '/device']) {
      rows.push(
        of('a method that it has not', `${method} ${path}`, '405', () => fetch(`${issuer}${path}`, { method })),
      );
    }
  }
  return rows;
}
