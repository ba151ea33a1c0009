import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configFilePath, loadConfig, saveConfig, setDefaultProfile } from '../../../src/config/config-file.ts';
import { findProfile, resolveProfile } from '../../../src/config/resolve-profile.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';

let folder: string;
let home: UserDirs;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-config-'));
  home = { config: folder, data: folder, log: folder, sandbox: folder };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string) => writeFileSync(configFilePath(home), text);
const sandbox = {
  issuer: 'http://127.0.0.1:4747',
  gateway: 'http://127.0.0.1:4748',
  phone: 'http://127.0.0.1:4747/phone',
};

describe('config.yaml', () => {
  it('is an empty configuration where there is no file, or one that is empty or holds only comments', async () => {
    expect(await loadConfig(home)).toEqual({ profiles: {} });
    write('# nothing yet\n');
    expect(await loadConfig(home)).toEqual({ profiles: {} });
  });

  const saidOf = async (text: string) => {
    write(text);
    const { code, message, hint } = await loadConfig(home).catch((error) => error);
    return `${code} ${message} ${hint}`;
  };

  it.each([
    [
      'an unknown key of a profile',
      'profiles:\n  work:\n    issuer: https://id.example\n    gatway: https://gw.example\n',
      /config\.yaml:4: unknown key "profiles\.work\.gatway".*Did you mean "gateway"\?/,
    ],
    ['one at the top', 'defualt_profile: work\n', /"default_profile"/],
    [
      'one deep inside',
      'profiles:\n  work:\n    model:\n      base-url: https://m.example\n',
      /:4: unknown key "profiles\.work\.model\.base-url".*"base_url"/,
    ],
    [
      'one that is near none',
      'zzzzzz: 1\n',
      /"zzzzzz".* Valid keys here are default_profile, history, theme, attention, profiles\.$/,
    ],
    ['malformed YAML', 'profiles:\n  work: {issuer: "x\n', /config\.yaml:\d+: /],
    ['a value of the wrong kind', 'profiles:\n  work:\n    approval_ttl: soon\n', /:3: "profiles\.work\.approval_ttl"/],
    [
      'a value instead of a section',
      'profiles:\n  work:\n    model: small\n',
      /:3: "profiles\.work\.model": must be a section with keys Its keys are .*base_url/,
    ],
    ['a list instead of a mapping', '- a\n- b\n', /config\.yaml/],
  ])('refuses %s with file, line, key and the nearest right key', async (_, text, said) => {
    expect(await saidOf(text)).toMatch(/^invalid_config /);
    expect(await saidOf(text)).toMatch(said);
  });

  it('refuses a model’s server that is asked in the clear, unless it is on this machine', async () => {
    const model = (url: string) => `profiles:\n  work:\n    model:\n      provider: openai\n      base_url: ${url}\n`;
    for (const url of ['http://models.example.com/v1', 'http://192.168.1.5:11434/v1'])
      expect(await saidOf(model(url))).toMatch(
        /^invalid_config .*:5: "profiles\.work\.model\.base_url": must be an https address/,
      );
    write(model('http://127.0.0.1:11434/v1'));
    expect((await loadConfig(home)).profiles.work?.model.base_url).toBe('http://127.0.0.1:11434/v1');
  });

  it('is written for its owner alone, without leaving a temporary file', async () => {
    await saveConfig(home, { default_profile: 'work', profiles: { work: { issuer: 'https://id.example' } } });
    expect(statSync(configFilePath(home)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['config.yaml']);
    expect((await loadConfig(home)).profiles.work?.issuer).toBe('https://id.example');
  });

  it('keeps comments when the default profile changes', async () => {
    write('# mine\nprofiles:\n  work: {} # the office\n');
    await setDefaultProfile(home, 'work');
    const text = readFileSync(configFilePath(home), 'utf8');
    expect(text).toContain('# mine');
    expect(text).toContain('# the office');
    expect((await loadConfig(home)).default_profile).toBe('work');
  });

  it('is left alone when it is malformed and the default profile should change', async () => {
    write('profiles: {x\n');
    await expect(setDefaultProfile(home, 'work')).rejects.toMatchObject({ code: 'invalid_config' });
    expect(readFileSync(configFilePath(home), 'utf8')).toBe('profiles: {x\n');
  });
});

describe('a profile', () => {
  it('called sandbox exists without a file, keeps credentials in a file, and takes its addresses from the sandbox', async () => {
    const profile = resolveProfile(await loadConfig(home), undefined, sandbox);
    expect(profile).toMatchObject({
      name: 'sandbox',
      sandbox: true,
      credential_store: 'file',
      login_client: { client_id: 'trade-agent' },
      audience: sandbox.gateway,
      ...sandbox,
    });
  });

  it('called sandbox may be adjusted without giving addresses', async () => {
    write('profiles:\n  sandbox:\n    approval_ttl: 60\n');
    const config = await loadConfig(home);
    expect(findProfile(config, 'sandbox').sandbox).toBe(true);
    expect(resolveProfile(config, 'sandbox', sandbox).approval_ttl).toBe(60);
  });

  it('of a sandbox that is not running says how to start it', async () => {
    const config = await loadConfig(home);
    expect(() => resolveProfile(config, undefined)).toThrow(/needs a running sandbox/);
  });

  it('that is real keeps credentials in the keychain', async () => {
    write(
      'profiles:\n  work:\n    issuer: https://id.example\n    gateway: https://gw.example\n    login_client: {client_id: cli}\n',
    );
    expect(resolveProfile(await loadConfig(home), 'work')).toMatchObject({
      credential_store: 'keychain',
      audience: 'https://gw.example',
      phone: undefined,
    });
  });

  it('that is real and incomplete names every missing key', async () => {
    write('profiles:\n  work:\n    issuer: https://id.example\n');
    const config = await loadConfig(home);
    expect(() => resolveProfile(config, 'work')).toThrow(/is missing gateway, login_client/);
  });

  it.each(['issuer', 'gateway'])('with a plain http %s on another machine is refused', async (key) => {
    write(
      `profiles:\n  work:\n    issuer: ${key === 'issuer' ? 'http' : 'https'}://id.example\n    gateway: ${key === 'gateway' ? 'http' : 'https'}://gw.example\n    login_client: {client_id: cli}\n`,
    );
    const config = await loadConfig(home);
    expect(() => resolveProfile(config, 'work')).toThrow(new RegExp(`${key} must be an https address`));
  });

  it('that does not exist is refused with the nearest name', async () => {
    write('profiles:\n  work: {}\n');
    const config = await loadConfig(home);
    expect(() => findProfile(config, 'wrok')).toThrow(/no profile "wrok"/);
    expect(() => findProfile(config, 'constructor')).toThrow(/no profile "constructor"/);
  });
});
