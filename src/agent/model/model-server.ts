import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';

interface ModelProvider {
  /** Base URL of an API that is compatible with OpenAI's chat API. */
  readonly url: string;
  /** Environment variable with the API key. Servers on this machine need no key. */
  readonly key?: string;
  /** Prefix that the server adds to the names in its list. Requests may omit the prefix. */
  readonly listedPrefix?: string;
}

/** Servers by name, as in `--model ollama/llama3.2`. */
const modelProviders: Readonly<Record<string, ModelProvider>> = {
  openai: { url: 'https://api.openai.com/v1', key: 'OPENAI_API_KEY' },
  anthropic: { url: 'https://api.anthropic.com/v1', key: 'ANTHROPIC_API_KEY' },
  gemini: {
    url: 'https://generativelanguage.googleapis.com/v1beta/openai',
    key: 'GEMINI_API_KEY',
    listedPrefix: 'models/',
  },
  mistral: { url: 'https://api.mistral.ai/v1', key: 'MISTRAL_API_KEY' },
  groq: { url: 'https://api.groq.com/openai/v1', key: 'GROQ_API_KEY' },
  openrouter: { url: 'https://openrouter.ai/api/v1', key: 'OPENROUTER_API_KEY' },
  ollama: { url: 'http://127.0.0.1:11434/v1' },
  lmstudio: { url: 'http://127.0.0.1:1234/v1' },
  vllm: { url: 'http://127.0.0.1:8000/v1' },
  'llama.cpp': { url: 'http://127.0.0.1:8080/v1' },
};
export const modelProviderNames: readonly string[] = Object.keys(modelProviders);
const DEFAULT_PROVIDER = 'openai';

export interface ModelServer {
  readonly name: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly keyVariable: string;
}

/** Returns the provider that a model name starts with, and the rest of the name. */
export function splitModelName(model: string): { readonly provider: string; readonly name: string } | undefined {
  const slash = model.indexOf('/');
  const provider = model.slice(0, Math.max(0, slash));
  const name = model.slice(slash + 1);
  return Object.hasOwn(modelProviders, provider) && name !== '' ? { provider, name } : undefined;
}

/** Converts a model's name in the provider's list to the name with which a person selects the model. */
export function providerModelName(provider: string, listed: string): string {
  const prefix = modelProviders[provider]?.listedPrefix ?? '';
  return `${provider}/${listed.startsWith(prefix) ? listed.slice(prefix.length) : listed}`;
}

/** Returns whether a model name starts with a known provider, or has no provider. */
export function isModelName(model: string): boolean {
  return model !== '' && (!model.includes('/') || splitModelName(model) !== undefined);
}

type ModelSettings = ResolvedProfile['model'];

/**
 * Returns the server's base URL. The credential store keeps the API key under this URL.
 * @throws {TradeAgentError} `invalid_config` if the name starts with an unknown provider, because the conversation
 * must not go to a server that the person did not mean
 */
export function modelServerUrl({ name = '', base_url }: ModelSettings): string {
  if (base_url !== undefined) return base_url;
  const provider = name.includes('/') ? splitModelName(name)?.provider : DEFAULT_PROVIDER;
  const url = provider === undefined ? undefined : modelProviders[provider]?.url;
  if (url !== undefined) return url;
  const known = modelProviderNames.join(', ');
  throw new TradeAgentError('invalid_config', `there is no model provider for the name ${name}`, {
    hint: `Use PROVIDER/NAME with one of ${known}; or pass the server's address with --base-url or model.base_url.`,
  });
}

/** Returns the headers with the key for a server's list of models. Anthropic's list needs a special header. */
export function modelListHeaders({ url, key }: ModelServer): Record<string, string> {
  if (key === undefined) return {};
  return sameHost(url, modelProviders.anthropic?.url ?? '')
    ? { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
    : { authorization: `Bearer ${key}` };
}

/** Returns a known server's environment variable for the API key, if any. @throws {TradeAgentError} `invalid_config` */
export function modelKeyVariable(settings: ModelSettings): string | undefined {
  const url = modelServerUrl(settings);
  return Object.values(modelProviders).find((provider) => sameHost(provider.url, url))?.key;
}

/**
 * Returns the profile's model server and its key. Each key is sent only to its own server: OPENAI_API_KEY to OpenAI,
 * TRADE_AGENT_API_KEY to the selected server.
 * @param storedKey the server's key in the credential store (auth/model-key.ts)
 * @throws {TradeAgentError} `invalid_config`
 */
export function resolveModelServer(
  settings: ModelSettings,
  env: Readonly<Record<string, string | undefined>>,
  storedKey: string | undefined,
): ModelServer {
  if (settings.name === undefined) {
    throw new TradeAgentError('invalid_config', 'the profile has no model', {
      hint: 'Set model.name in config.yaml, or use --model NAME.',
    });
  }
  const url = modelServerUrl(settings);
  const required = modelKeyVariable(settings);
  const keyVariable = required ?? 'TRADE_AGENT_API_KEY';
  const key = (env.TRADE_AGENT_API_KEY || undefined) ?? storedKey ?? (env[keyVariable] || undefined);
  const name = splitModelName(settings.name)?.name ?? settings.name;
  if (key === undefined && required !== undefined) {
    throw new TradeAgentError('invalid_config', `there is no API key for ${name} at ${new URL(url).host}`, {
      hint: `Set ${keyVariable} or TRADE_AGENT_API_KEY, store the key with "trade-agent profile set-secret --of model", or use the built-in planner with --model builtin.`,
    });
  }
  return { name, url, key, keyVariable };
}

function sameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;
}
