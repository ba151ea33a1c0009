import { withLongestApproval } from '../../auth/provider/dialects.ts';
import type { Config, ResolvedProfile } from '../../config/profile.ts';
import { profileSchema } from '../../config/profile.ts';
import { findProfile, resolveProfile } from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Home } from '../../machine/directories.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { type AskServerOptions, toldByServer } from './told-by-server.ts';

/** How the profile was chosen. */
export interface Chosen {
  readonly profileOption?: string | undefined;
  readonly serverOption?: string | undefined;
}

/**
 * The profiles with one more, for a server that was named in a profile's place.
 * @throws {TradeAgentError} `usage` for an address that no token may go to, or where a profile was named too
 */
export function withServer(
  config: Config,
  name: string,
  { serverOption: server = '', profileOption }: Chosen,
): Config {
  if (profileOption !== undefined) {
    throw new TradeAgentError('usage', '--server stands in the place of a profile', {
      hint: `Leave out --profile, or have a profile of its own: trade-agent profile add NAME --server ${server}`,
    });
  }
  if (!isSecureUrl(server)) {
    throw new TradeAgentError('usage', `--server is not an https address: ${server}`, {
      hint: 'Write it whole, with https://. Plain http is for servers on this machine only.',
    });
  }
  const { origin, pathname } = new URL(server);
  const address = `${origin}${pathname}`.replace(/\/+$/, '');
  return { ...config, profiles: { ...config.profiles, [name]: profileSchema.parse({ server: address }) } };
}

/**
 * A profile that has a server, complete with what that says of itself.
 * @throws {TradeAgentError} `gateway_unreachable`, `invalid_config`
 */
export async function profileAtServer(
  options: AskServerOptions & Chosen,
  home: Home,
  config: Config,
  name: string | undefined,
): Promise<ResolvedProfile> {
  const { issuer, login_client, server = '' } = findProfile(config, name);
  const isTold = issuer === undefined || login_client === undefined;
  const told = isTold ? await toldByServer(server, { ...options, home }) : undefined;
  const profile = withLongestApproval(resolveProfile(config, name, undefined, told));
  if (told === undefined) return profile;
  const { environment } = told;
  if (options.serverOption === undefined && profile.environment !== environment) {
    throw new TradeAgentError(
      'invalid_config',
      `profile "${profile.name}" says ${profile.environment}, but ${server} trades ${environment}`,
      { hint: `trade-agent config set profiles.${profile.name}.environment ${environment}` },
    );
  }
  return { ...profile, environment };
}
