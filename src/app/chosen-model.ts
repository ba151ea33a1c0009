import { splitModelName } from '../agent/model/model-server.ts';
import type { ResolvedProfile } from '../config/profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../net/secure-url.ts';
import { defined } from '../values/defined.ts';
import type { AgentOptions } from './app.ts';

/** Applies the command line's model options to a profile. @throws {TradeAgentError} `usage` */
export function withModelOptions<P extends Pick<ResolvedProfile, 'model'>>(
  profile: P,
  { model, baseUrl }: AgentOptions,
): P {
  if (model === undefined && baseUrl === undefined) return profile;
  if (model === 'builtin') {
    if (baseUrl === undefined) return { ...profile, model: { provider: 'builtin' } };
    throw new TradeAgentError('usage', 'the built-in planner needs no server', {
      hint: "Remove --base-url, or choose one of that server's models with --model.",
    });
  }
  if (baseUrl !== undefined && !/^https?:\/\/[^\s]+$/.test(baseUrl)) {
    throw new TradeAgentError('usage', `--base-url is not a URL: ${baseUrl}`, {
      hint: 'Pass a complete URL, such as --base-url http://127.0.0.1:11434/v1',
    });
  }
  if (baseUrl !== undefined && !isSecureUrl(baseUrl)) {
    throw new TradeAgentError('usage', `--base-url ${INSECURE_URL_MESSAGE}: ${baseUrl}`, {
      hint: 'Put the server behind TLS, or forward a local port to it: ssh -L 11434:127.0.0.1:11434 HOST.',
    });
  }
  const { name: configuredName, base_url: configuredUrl } = profile.model;
  const name = model ?? configuredName;
  // A model name with a server prefix ("ollama/…") selects that server instead of the profile's.
  const base_url = baseUrl ?? (model !== undefined && splitModelName(model) !== undefined ? undefined : configuredUrl);
  return { ...profile, model: { provider: 'openai', ...defined({ name, base_url }) } };
}
