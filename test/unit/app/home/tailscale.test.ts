import { describe, expect, it } from 'vitest';
import {
  isAlreadyServed,
  missingFeatures,
  type TailscaleStatus,
  tailscaleName,
} from '../../../../src/app/home/tailscale.ts';
import { explainTailscaleOutput } from '../../../../src/app/home/tailscale-error.ts';
import type { TailscaleMode } from '../../../../src/home/settings/home-settings.ts';

/** As `ipnstate.Status` of Tailscale 1.9x writes it, for what a home reads of it. */
const status = (more: Partial<TailscaleStatus> = {}): TailscaleStatus => ({
  BackendState: 'Running',
  AuthURL: '',
  Self: {
    DNSName: 'nas.tail1234.ts.net.',
    CapMap: { https: null, funnel: null, 'https://tailscale.com/cap/funnel-ports?ports=443,8443,10000': null },
  },
  ...more,
});

describe('the name of this machine', () => {
  it('is its DNS name, without the dot at the end', () => {
    expect(tailscaleName(status())).toBe('nas.tail1234.ts.net');
  });

  it.each([
    ['NeedsLogin', /not signed in/, /Open https:\/\/login\.tailscale\.com\/a\/1, or run "tailscale up"/],
    ['NeedsMachineAuth', /not approved/, /admin\/machines/],
    ['Stopped', /is off/, /tailscale up/],
    ['InUseOtherUser', /another user/, /Sign that user out/],
    ['NoState', /is starting/, /few seconds/],
    ['Starting', /is starting/, /few seconds/],
  ])('is not known while the state is %s, and the next step is said', (BackendState, message, hint) => {
    const found = () => tailscaleName(status({ BackendState, AuthURL: 'https://login.tailscale.com/a/1' }));
    expect(found).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), hint: expect.stringMatching(hint) }),
    );
  });

  it.each([null, { DNSName: '' }, { DNSName: 'nas' }, { DNSName: 'a b.ts.net.' }])('needs MagicDNS: %j', (Self) => {
    expect(() => tailscaleName(status({ Self }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('MagicDNS') }),
    );
  });
});

describe('a name outside of ts.net', () => {
  const self = { DNSName: 'nas.tailnet.example.' };

  it('is refused where its control server issues no certificates', () => {
    const found = () => tailscaleName(status({ Self: { ...self, CapMap: { funnel: null } } }));
    expect(found).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: 'the Tailscale network of nas.tailnet.example issues no HTTPS certificates, which phones need',
        hint: expect.stringContaining('--phone domain or proxy'),
      }),
    );
  });

  it('is served where it does', () => {
    expect(tailscaleName(status({ Self: { ...self, CapMap: { https: null } } }))).toBe('nas.tailnet.example');
  });
});

describe('what the network must still allow', () => {
  it.each([
    ['funnel', {}, []],
    ['funnel', { Self: { DNSName: 'a.b.', CapMap: { https: null } } }, ['Funnel']],
    ['serve', { Self: { DNSName: 'a.b.', CapMap: { https: null } } }, []],
    ['serve', { Self: { DNSName: 'a.b.' } }, ['HTTPS certificates']],
    ['funnel', { Self: { DNSName: 'a.b.', Capabilities: ['https', 'funnel'] } }, []],
    ['funnel', { Self: null }, ['HTTPS certificates', 'Funnel']],
  ] satisfies [TailscaleMode, Partial<TailscaleStatus>, string[]][])('%s, %j: %j', (mode, more, missing) => {
    expect(missingFeatures(status(more), mode)).toEqual(missing);
  });
});

describe('a name that serves something already', () => {
  const name = 'nas.tail1234.ts.net';
  const target = 'http://127.0.0.1:4780';
  const web = (proxy: string) => ({ Web: { [`${name}:443`]: { Handlers: { '/': { Proxy: proxy } } } } });
  const funnel = { AllowFunnel: { [`${name}:443`]: true } };

  it.each([
    ['funnel', { ...web(target), ...funnel }, true],
    ['serve', { ...web(target), ...funnel }, false],
    ['serve', web(target), true],
    ['funnel', web(target), false],
    ['funnel', { Foreground: { '1a2b': { ...web(target), ...funnel } } }, true],
    ['serve', web('http://127.0.0.1:3000'), false],
    ['serve', { Web: null }, false],
    ['serve', {}, false],
  ] as const)('%s, %j: %j', (mode, config, served) => {
    expect(isAlreadyServed(config, name, target, mode)).toBe(served);
  });
});

describe('what the program prints before it ends', () => {
  const refused = 'sending serve config: updating config: ';
  it.each([
    [
      "sending serve config: Access denied: serve config denied\n\nUse 'sudo tailscale serve http://127.0.0.1:4780'.\nTo not require root, use 'sudo tailscale set --operator=$USER' once.",
      /your user may not/,
      /sudo tailscale set --operator=\$USER/,
    ],
    [
      "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)",
      /Tailscale is not running/,
      /systemctl start tailscaled/,
    ],
    [
      'failed to connect to local tailscaled (which appears to be running as tailscaled, pid 7). Got error: Failed to connect to local Tailscale daemon for /localapi/v0/status; systemd tailscaled.service not running. Error: dial unix /run/tailscale/tailscaled.sock: connect: permission denied',
      /has no access/,
      /tailscale status/,
    ],
    ['error enabling https feature: error 404 Not Found: 404 page not found: ', /HTTPS certificates/, /admin\/dns/],
    [
      'Funnel not available; HTTPS must be enabled. See https://tailscale.com/s/https.',
      /HTTPS certificates/,
      /admin\/dns/,
    ],
    [
      'Funnel not available; "funnel" node attribute not set. See https://tailscale.com/s/no-funnel.',
      /does not allow Funnel/,
      /no-funnel/,
    ],
    ['port 443 is not allowed for funnel; allowed ports are: 8443', /does not allow Funnel/, /no-funnel/],
    [
      `${refused}Unable to turn on Funnel while shields-up is enabled`,
      /blocks incoming connections/,
      /--shields-up=false/,
    ],
    [`${refused}listener already exists for port 443`, /another program uses port 443/, /tailscale serve status/],
    [
      'error: failed apply web serve: cannot serve web; already serving TCP\n\ntry `tailscale serve --help` for usage info',
      /another program uses port 443/,
      /tailscale serve status/,
    ],
    [
      'error: failed apply web serve: unknown\n\ntry `tailscale serve --help` for usage info',
      /^Tailscale: error: failed apply web serve: unknown$/,
      /tailscale status/,
    ],
    ['Warning: first\nsecond \u001b[31mline.\n', /^Tailscale: second line$/, /tailscale status/],
    ['\n', /^it ended$/, /tailscale status/],
  ])('%j', (text, message, hint) => {
    expect(explainTailscaleOutput(text, 'it ended')).toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});
