import { describe, expect, it } from 'vitest';
import { homeSettingsSchema } from '../../../../src/home/settings/home-settings.ts';

const address = 'https://home.example';
const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };
const client = { client_id: 'agent-acme', name: 'Agent at Acme', jwks: { keys: [key] } };
const acme = {
  issuer: 'https://login.acme.example',
  name: 'Acme',
  organization: 'acme',
  scopes: ['market:read', 'orders:propose'],
  people: { '00u1abc': 'alice' },
  clients: [client],
};

const read = (...companies: object[]) => homeSettingsSchema.safeParse({ address, companies });
const problems = (...companies: object[]) =>
  read(...companies)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join();

describe('companies whose word is taken', () => {
  it('are there with whom of theirs is who here, and their clients; groups are taken where that is said', () => {
    expect(read(acme).data?.companies).toEqual([{ ...acme, groups: false }]);
    const enabled = { '00u1abc': '2026-11-27T10:00:00Z' };
    const more = { groups: true, signals: { audience: 'https://home.example/signals', enabled } };
    expect(read({ ...acme, ...more }).data?.companies).toEqual([{ ...acme, ...more }]);
    expect(problems({ ...acme, issuer: 'http://127.0.0.1:4749/realms/acme' })).toBeUndefined();
  });

  it.each([
    ['plain http', { issuer: 'http://login.acme.example' }, 'issuer: must be an https address'],
    ['a query in the issuer', { issuer: 'https://login.acme.example?a=b' }, 'issuer: must have no query'],
    ['the home as its own company', { issuer: address }, 'companies: https://home.example is this home itself'],
    ['what an approval alone can give', { scopes: ['orders:write'] }, 'scopes.0: must be one of market:read'],
    ['what our own client alone may ask for', { scopes: ['orders:mandate'] }, 'scopes.0: must be one of'],
    ['an empty audience', { signals: { audience: '' } }, 'signals.audience: Too small'],
    [
      'a day as a time',
      { signals: { audience: 'a', enabled: { '00u1abc': '2026-11-27' } } },
      'signals.enabled.00u1abc: Invalid',
    ],
    ['no scope', { scopes: [] }, 'scopes: Too small'],
    ['nobody', { people: {} }, 'people: must list at least one person'],
    ['what is no user name', { people: { a: 'Alice Smith' } }, 'people.a: is not a user name in this home'],
    ['a name for policies that is none', { organization: 'Acme Inc.' }, 'organization: must be 1 to 64'],
    ['a client without a key', { clients: [{ ...client, jwks: undefined }] }, 'clients.0.jwks: is required'],
    ['the login client’s id', { clients: [{ ...client, client_id: 'trade-agent' }] }, 'one of the home’s own'],
    ['a client twice', { clients: [client, client] }, 'companies: agent-acme is listed twice'],
  ])('are refused with %s', (_, change, says) => {
    expect(problems({ ...acme, ...change })).toContain(says);
  });

  it('are refused twice, and with a client that is another’s', () => {
    const other = {
      ...acme,
      issuer: 'https://login.other.example',
      clients: [{ ...client, client_id: 'other' }],
    };
    expect(problems(acme, other)).toBeUndefined();
    expect(problems(acme, { ...other, issuer: acme.issuer })).toContain('https://login.acme.example is listed twice');
    expect(problems(acme, { ...other, clients: [client] })).toContain('agent-acme is listed twice');
    const server = { client_id: 'agent-acme', address: 'https://agent.example', jwks: { keys: [key] } };
    const program = { client_id: 'agent-acme', name: 'A', redirect_uris: ['http://127.0.0.1/callback'] };
    for (const taken of [{ servers: [server] }, { clients: [program] }]) {
      const { error } = homeSettingsSchema.safeParse({ address, companies: [acme], ...taken });
      expect(error?.issues[0]?.message).toBe(`agent-acme is already listed under "${Object.keys(taken)[0]}"`);
    }
  });
});

describe('who is told what ended here', () => {
  const receiver = { endpoint: 'https://receiver.example/events', audience: 'https://receiver.example' };
  const told = (...receivers: object[]) => homeSettingsSchema.safeParse({ address, signals: { receivers } });

  it('is named by an address and an audience', () => {
    expect(told(receiver).data?.signals).toEqual({ receivers: [receiver] });
    expect(told({ ...receiver, endpoint: 'http://127.0.0.1:4749/events' }).success).toBe(true);
  });

  it.each([
    ['plain http', [{ ...receiver, endpoint: 'http://receiver.example/events' }]],
    ['no audience', [{ endpoint: receiver.endpoint }]],
    ['a secret', [{ ...receiver, token: 'x' }]],
    ['nobody', []],
  ])('is refused with %s', (_, receivers) => {
    expect(told(...receivers).success).toBe(false);
  });
});
