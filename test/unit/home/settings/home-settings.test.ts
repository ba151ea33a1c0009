import { describe, expect, it } from 'vitest';
import { findHomeAddressProblem } from '../../../../src/home/settings/home-address.ts';
import {
  homeSettingsSchema,
  parseHostPort,
  resolveListenAddress,
  resolveTrustedProxies,
} from '../../../../src/home/settings/home-settings.ts';

const problem = (settings: object) =>
  homeSettingsSchema.safeParse(settings).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('an address', () => {
  it.each(['https://home.example', 'https://home.tail1234.ts.net:8443', 'http://localhost:4780'])(
    'may be %s',
    (text) => {
      expect(findHomeAddressProblem(text)).toBeUndefined();
    },
  );

  it.each([
    ['home.example', 'enter the full address'],
    ['https://192.168.1.5', '--phone funnel'],
    ['https://[fd00::1]', '--phone funnel'],
    ['http://127.0.0.1:4780', '--phone funnel'],
    ['https://nas.local', '--phone domain'],
    ['http://printer.lan:4780', '--phone proxy'],
    ['http://home.example', 'plain http works only for http://localhost'],
    ['ftp://home.example', 'must begin with https://'],
    ['https://home.example/', 'without a path: https://home.example'],
    ['https://home.example/home', 'without a path'],
    ['https://Home.example', 'without a path: https://home.example'],
    ['https://ada@home.example', 'without a path'],
  ])('may not be %s', (text, says) => {
    expect(findHomeAddressProblem(text)).toContain(says);
  });
});

const publicJwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };

describe('home.yaml', () => {
  it('takes what a home needs', () => {
    expect(
      problem({
        address: 'https://home.example',
        listen: '0.0.0.0:443',
        tls: { cert: '/etc/tls/cert.pem', key: '/etc/tls/key.pem' },
        proxy: ['10.0.0.2', 'fd00::/8'],
        push: { contact: 'mailto:ada@home.example' },
        hold_to_approve: '2500.50',
        notices: { ntfy: { kind: 'ntfy', topic: 'ada' } },
        servers: [
          { client_id: 'agent', address: 'https://agent.example', jwks: { keys: [publicJwk] } },
          { client_id: 'lab', address: 'http://localhost:4790', jwks_uri: 'https://lab.example/jwks.json' },
        ],
      }),
    ).toBeUndefined();
  });

  it.each(['-1', '1e3', 'never', ''])('takes no hold from %j', (hold_to_approve) => {
    expect(problem({ address: 'https://home.example', hold_to_approve })).toEqual([
      'hold_to_approve: must be dollars such as "1000", or off',
    ]);
  });

  it.each([
    [
      'an address that phones keep no passkey for',
      { address: 'https://10.0.0.1' },
      'address: phones create passkeys only for an https name',
    ],
    ['a listening address without a port', { listen: '127.0.0.1' }, 'listen: must be HOST:PORT'],
    ['a port that is none', { listen: '127.0.0.1:70000' }, 'listen: must be HOST:PORT'],
    [
      'a certificate by half a path',
      { tls: { cert: 'cert.pem', key: '/k.pem' } },
      'tls.cert: must be an absolute path',
    ],
    ['two certificates', { tls: { cert: '/c', key: '/k' }, acme: {} }, 'acme: can\'t be combined with "tls"'],
    ['an authority without TLS', { acme: { directory: 'http://ca.example' } }, 'acme.directory: must be an https'],
    ['a certificate behind Tailscale', { acme: {}, tailscale: 'funnel' }, 'tailscale: needs an https address'],
    ['a proxy that is everybody', { proxy: ['0.0.0.0/0'] }, 'proxy: "0.0.0.0/0" includes every address'],
    ['a proxy by name', { proxy: ['proxy.example'] }, 'proxy: "proxy.example" is not a valid proxy address'],
    ['a contact that is none', { push: { contact: 'ada' } }, 'push.contact: must be mailto:'],
    ['a key nobody knows', { adress: 'x' }, ': Unrecognized key: "adress"'],
  ])('refuses %s', (_, change, says) => {
    expect(problem({ address: 'https://home.example', ...change })?.join()).toContain(says);
  });

  it('refuses a certificate where there is no https', () => {
    const tls = { cert: '/c', key: '/k' };
    // An address that is none is told as such: with `tls` beside it, it was an error of ours.
    expect(problem({ address: 'htt[s://home.example:8443', tls })?.join()).toContain('address: enter the full address');
    expect(problem({ address: 'http://localhost:4780', tls })?.join()).toContain(
      'tls: is allowed only for a home at an https',
    );
  });
});

describe('where it listens', () => {
  it.each([
    [{ address: 'http://localhost:4780' }, { host: '127.0.0.1', port: 4780 }],
    [{ address: 'http://localhost' }, { host: '127.0.0.1', port: 80 }],
    [{ address: 'https://home.example' }, { host: '127.0.0.1', port: 4780 }],
    [
      { address: 'https://home.example', listen: '[::]:443' },
      { host: '::', port: 443 },
    ],
  ])('%j', (settings, expected) => {
    expect(resolveListenAddress(settings)).toEqual(expected);
  });

  it.each(['4780', ':4780', 'a b:1', '[1.2.3.4]:1', '::1:80'])('%s is nowhere', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it('behind a proxy of this machine, that one alone is believed', () => {
    const of = (settings: object) =>
      resolveTrustedProxies(homeSettingsSchema.parse({ address: 'https://home.example', ...settings }));
    expect(of({})).toEqual(['127.0.0.1', '::1']);
    expect(of({ proxy: ['10.0.0.2'] })).toEqual(['10.0.0.2']);
    expect(of({ listen: '0.0.0.0:4780' })).toBeUndefined();
    expect(of({ tls: { cert: '/c', key: '/k' } })).toBeUndefined();
    expect(of({ acme: {} })).toBeUndefined();
    expect(of({ address: 'http://localhost:1' })).toBeUndefined();
  });
});

describe('clients that are known beforehand', () => {
  const address = 'https://home.example';
  const agent = { client_id: 'my-agent', name: 'My agent', redirect_uris: ['http://127.0.0.1/callback'] };
  const problems = (...clients: object[]) => problem({ address, clients });

  it('have an id, a name and where they are answered', () => {
    const cursor = {
      ...agent,
      client_id: 'cursor',
      redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback'],
    };
    expect(problems(agent, cursor)).toBeUndefined();
  });

  it.each([
    ['an id of the home’s own', { client_id: 'trade-agent' }, 'is reserved for one of the home’s own'],
    ['an address for an id', { client_id: 'https://agent.example/' }, 'must be 1 to 64'],
    ['an answer that goes anywhere', { redirect_uris: ['http://agent.example/cb'] }, 'must be https'],
    ['no answer', { redirect_uris: [] }, '>=1'],
  ])('never have %s', (_, changes, said) => {
    expect(problems({ ...agent, ...changes })?.join()).toContain(said);
  });

  it('are there once', () => {
    expect(problems(agent, agent)).toEqual(['clients: my-agent is listed twice']);
  });
});

describe('servers that run the agent', () => {
  const server = { client_id: 'agent', address: 'https://agent.example', jwks: { keys: [publicJwk] } };
  const problems = (...servers: object[]) => problem({ address: 'https://home.example', servers })?.join();

  it.each([
    ['plain http', { address: 'http://agent.example' }, 'servers.0.address: must be an https address'],
    ['an address with something behind it', { address: 'https://agent.example/' }, 'servers.0.address'],
    ['no key', { jwks: undefined }, 'servers.0.jwks: is required unless "jwks_uri"'],
    ['both ways to its key', { jwks_uri: 'https://agent.example/jwks' }, 'exactly one of them'],
    ['a private key', { jwks: { keys: [{ ...publicJwk, d: 'd' }] } }, 'must contain only the public half'],
    ['a shared secret', { jwks: { keys: [{ kty: 'oct', k: 'k' }] } }, 'servers.0.jwks.keys.0.kty'],
    ['the login client’s id', { client_id: 'trade-agent' }, 'is reserved for one of the home’s own'],
    ['the home’s own address', { address: 'https://home.example' }, 'is used twice'],
  ])('are refused with %s', (_, change, says) => {
    expect(problems({ ...server, ...change })).toContain(says);
  });

  it('are refused twice, at one address, or under the id of another client', () => {
    expect(problems(server, { ...server, address: 'https://b.example' })).toContain('agent is listed twice');
    expect(problems(server, { ...server, client_id: 'b' })).toContain('is used twice');
    const clients = [{ client_id: 'agent', name: 'A', redirect_uris: ['http://127.0.0.1/callback'] }];
    const settings = { address: 'https://home.example', clients, servers: [server] };
    expect(problem(settings)?.join()).toContain('agent is already listed under "clients"');
  });
});
