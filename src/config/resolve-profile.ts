import { TradeAgentError } from '../errors/errors.ts';
import { isSecureUrl } from '../net/secure-url.ts';
import { findClosestMatch } from '../text/closest-match.ts';
import { defined } from '../values/defined.ts';
import { type CompanySignIn, type Config, type Profile, profileSchema, type ResolvedProfile } from './profile.ts';

/** The built-in profile, which exists without a configuration file. */
export const SANDBOX_PROFILE = 'sandbox';

/** Client ID for signing in at any home or sandbox. */
export const HOME_LOGIN_CLIENT = 'trade-agent';

/** The broker connection's name in the sandbox's vault. */
const SANDBOX_CONNECTIONS = { broker: 'paper-broker' };

export interface SandboxAddresses {
  readonly issuer: string;
  readonly gateway: string;
  readonly phone: string;
}

/** The part of a server's metadata (RFC 9728) that a profile needs. */
export type AgentServerMetadata = Pick<ResolvedProfile, 'issuer' | 'audience' | 'login_client' | 'environment'> & {
  readonly provider: NonNullable<Profile['provider']>;
};

export function listProfileNames(config: Config): string[] {
  return [...new Set([SANDBOX_PROFILE, ...Object.keys(config.profiles)])];
}

export function resolveProfileName(config: Config, name?: string): string {
  return name ?? config.default_profile ?? SANDBOX_PROFILE;
}

/**
 * Returns a profile as written in the file. A sandbox profile has no addresses until the caller starts the sandbox.
 * @throws {TradeAgentError} `invalid_config` if the profile is unknown
 */
export function findProfile(config: Config, name?: string): Profile & { readonly name: string } {
  const chosen = resolveProfileName(config, name);
  const written = Object.hasOwn(config.profiles, chosen) ? config.profiles[chosen] : undefined;
  if (written !== undefined) {
    // A profile named "sandbox" without addresses only changes settings of the built-in profile.
    const sandbox =
      written.sandbox ||
      (chosen === SANDBOX_PROFILE &&
        written.issuer === undefined &&
        written.gateway === undefined &&
        written.server === undefined);
    return { ...written, sandbox, name: chosen };
  }
  if (chosen === SANDBOX_PROFILE) return { ...profileSchema.parse({ sandbox: true }), name: chosen };
  const nearest = findClosestMatch(chosen, listProfileNames(config));
  throw new TradeAgentError('invalid_config', `there is no profile "${chosen}"`, {
    hint: `${nearest === undefined ? '' : `Did you mean "${nearest}"? `}The profiles are ${listProfileNames(config).join(', ')}.`,
  });
}

/**
 * Returns where a profile's secrets are stored: by default in the keychain, or in a file for the sandbox, which has no
 * real money.
 */
export function credentialStoreKind(profile: Pick<Profile, 'sandbox' | 'credential_store'>): 'keychain' | 'file' {
  return profile.credential_store ?? (profile.sandbox ? 'file' : 'keychain');
}

/**
 * Returns the profile with all its addresses.
 * @param sandbox the running sandbox's addresses; needed by sandbox profiles, ignored by others
 * @param serverMetadata the metadata of the profile's server, if the profile has a server
 * @throws {TradeAgentError} `invalid_config`, naming the key that is missing or wrong
 */
export function resolveProfile(
  config: Config,
  name: string | undefined,
  sandbox?: SandboxAddresses,
  serverMetadata?: AgentServerMetadata,
): ResolvedProfile {
  const found = findProfile(config, name);
  const profile = found.server === undefined ? found : withServer(found, found.server, serverMetadata);
  if (profile.sandbox) {
    if (sandbox === undefined) {
      throw new TradeAgentError('invalid_config', `profile "${profile.name}" needs a running sandbox`, {
        hint: 'Start it with "trade-agent sandbox".',
      });
    }
    return checkProfile({
      ...profile,
      issuer: sandbox.issuer,
      gateway: sandbox.gateway,
      audience: profile.audience ?? sandbox.gateway,
      login_client: profile.login_client ?? { client_id: HOME_LOGIN_CLIENT },
      connections: { ...SANDBOX_CONNECTIONS, ...profile.connections },
      credential_store: credentialStoreKind(profile),
      phone: sandbox.phone,
    });
  }
  const { issuer, gateway, login_client } = profile;
  if (issuer === undefined || gateway === undefined || login_client === undefined) {
    const missing = Object.entries({ issuer, gateway, login_client })
      .filter(([, value]) => value === undefined)
      .map(([key]) => key);
    throw new TradeAgentError('invalid_config', `profile "${profile.name}" is missing ${missing.join(', ')}`, {
      hint: `Add ${missing.map((key) => `profiles.${profile.name}.${key}`).join(', ')} to config.yaml.`,
      details: { missing },
    });
  }
  return checkProfile({
    ...profile,
    issuer,
    gateway,
    audience: profile.audience ?? gateway,
    login_client,
    credential_store: credentialStoreKind(profile),
    phone: undefined,
  });
}

/**
 * Returns the profile with its server as the gateway. Requests go to the server, and tokens are issued for it.
 * @throws {TradeAgentError} `invalid_config` if the profile also names a gateway or is a sandbox
 */
function withServer<P extends Profile & { readonly name: string }>(
  profile: P,
  server: string,
  serverMetadata: AgentServerMetadata | undefined,
): P {
  if (profile.gateway !== undefined || profile.sandbox) {
    const other = profile.sandbox ? 'sandbox' : 'gateway';
    throw new TradeAgentError('invalid_config', `profile "${profile.name}" has both a server and a ${other}`, {
      hint: `The server already connects to the gateway: remove profiles.${profile.name}.${other}.`,
    });
  }
  const {
    issuer = serverMetadata?.issuer,
    provider = serverMetadata?.provider,
    login_client = serverMetadata?.login_client,
  } = profile;
  const { audience = serverMetadata?.audience } = profile;
  return {
    ...profile,
    gateway: server.replace(/\/+$/, ''),
    ...defined({ issuer, audience, provider, login_client }),
  };
}

function checkProfile(profile: ResolvedProfile): ResolvedProfile {
  for (const key of ['issuer', 'gateway'] as const) {
    if (!isSecureUrl(profile[key])) {
      const said = key === 'gateway' && profile.server !== undefined ? 'server' : key;
      throw new TradeAgentError(
        'invalid_config',
        `profile "${profile.name}": ${said} must be an https address (${profile[key]})`,
        { hint: 'Plain http is allowed only for servers on this machine.' },
      );
    }
  }
  if (profile.company !== undefined) requireValidCompany(profile, profile.company);
  if (profile.credential_store === 'keychain' && profile.credential_key !== undefined) {
    const message = `profile "${profile.name}": credential_key can't be used with the keychain`;
    throw new TradeAgentError('invalid_config', message, {
      hint: `Remove it ("trade-agent config unset profiles.${profile.name}.credential_key"), or set credential_store to file.`,
    });
  }
  return profile;
}

/**
 * Checks a profile's company.
 * @throws {TradeAgentError} `invalid_config` if the company's issuer is not https, or the profile has a server
 */
export function requireValidCompany(
  { name, server }: Pick<ResolvedProfile, 'name' | 'server'>,
  { issuer }: CompanySignIn,
): void {
  if (!isSecureUrl(issuer)) {
    throw new TradeAgentError(
      'invalid_config',
      `profile "${name}": the company's issuer must be an https address (${issuer})`,
      { hint: 'Plain http is allowed only for servers on this machine.' },
    );
  }
  if (server !== undefined) {
    throw new TradeAgentError('invalid_config', `profile "${name}" has both a server and a company`, {
      hint: 'Company sign-in works with a home, not with a server: add the home with "profile add", or sign in without the company.',
    });
  }
}
