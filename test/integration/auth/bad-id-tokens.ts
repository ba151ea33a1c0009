import { createHmac } from 'node:crypto';
import { generateKeyPair, type JWTPayload } from 'jose';
import { type Lies, type LyingProvider, signWith } from './lying-provider.ts';

const WEEK_S = 7 * 24 * 3600;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Each of these ID tokens must be refused, at sign-in and at an approval alike. */
export const badIdTokens: [string, (provider: LyingProvider) => Lies | Promise<Lies>][] = [
  ['of another issuer', () => ({ claims: (claims) => ({ ...claims, iss: 'https://evil.example' }) })],
  ['for another client', () => ({ claims: (claims) => ({ ...claims, aud: 'another' }) })],
  [
    'for several clients without naming us as the party',
    () => ({ claims: (claims) => ({ ...claims, aud: [String(claims.aud), 'another'] }) }),
  ],
  ['for another party', () => ({ claims: (claims) => ({ ...claims, azp: 'another' }) })],
  ['that has expired', () => ({ claims: (claims) => ({ ...claims, exp: (claims.iat ?? 0) - 60 }) })],
  ['issued a week ago', () => ({ claims: (claims) => ({ ...claims, iat: (claims.iat ?? 0) - WEEK_S }) })],
  ['issued in the future', () => ({ claims: (claims) => ({ ...claims, iat: (claims.iat ?? 0) + 3600 }) })],
  ...['iss', 'sub', 'aud', 'exp', 'iat'].map((name): [string, () => Lies] => [
    `without ${name}`,
    () => ({ claims: ({ [name]: _, ...claims }) => claims }),
  ]),
  ['signed by another key', async () => ({ sign: signWith((await generateKeyPair('ES256')).privateKey) })],
  [
    'whose content was changed after signing',
    () => ({
      token: (answer) => {
        const [header, payload, signature] = String(answer.id_token).split('.');
        const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as JWTPayload;
        return { ...answer, id_token: `${header}.${part({ ...claims, name: 'Mallory' })}.${signature}` };
      },
    }),
  ],
  ['with alg none', () => ({ sign: (claims) => `${part({ alg: 'none' })}.${part(claims)}.` })],
  [
    'with HS256 by the public key',
    (provider) => ({
      sign: (claims) => {
        const text = `${part({ alg: 'HS256', kid: 'k1' })}.${part(claims)}`;
        const key = JSON.stringify(provider.publicJwk);
        return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
      },
    }),
  ],
  ['that is none at all', () => ({ sign: () => 'nonsense' })],
];
