import { describe, expect, it } from 'vitest';
import {
  isAlreadyServed,
  missingFeatures,
  type TailscaleStatus,
  tailscaleName,
} from '../../../../src/app/home/tailscale.ts';
import type { TailscaleMode } from '../../../../src/home/settings/home-settings.ts';

/** As `ipnstate.Status` of Tailscale 1.9x writes it, for what a home reads of it. */
const status = (more: Partial<TailscaleStatus> = {}): TailscaleStatus => ({
  BackendState: 'Running',
  AuthURL: '',
  Self: {
    DNSName: 'nas.tail1234.ts.net.',
    CapMap: { https: null, funnel: null, 'https://tailscale.com/cap/funnel-ports?ports=443,8443,10000': null },
  },
  CertDomains: ['nas.tail1234.ts.net'],
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

describe('what the network must still allow', () => {
  it.each([
    ['funnel', {}, []],
    ['funnel', { Self: { DNSName: 'a.b.', CapMap: { https: null } } }, ['Funnel']],
    ['serve', { Self: { DNSName: 'a.b.', CapMap: { https: null } } }, []],
    ['serve', { Self: { DNSName: 'a.b.' }, CertDomains: null }, ['HTTPS certificates']],
    ['funnel', { Self: { DNSName: 'a.b.', Capabilities: ['https', 'funnel'] }, CertDomains: null }, []],
    ['funnel', { Self: null, CertDomains: null }, ['HTTPS certificates', 'Funnel']],
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
