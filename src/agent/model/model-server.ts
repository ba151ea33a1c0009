import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';

/** Servers by name, as in `--model ollama/llama3.2`. All of them provide OpenAI's chat API. */
const modelPresets = {
  openai: { url: 'https://api.openai.com/v1', key: 'OPENAI_API_KEY' },
  openrouter: { url: 'https://openrouter.ai/api/v1', key: 'OPENROUTER_API_KEY' },
  ollama: { url: 'http://127.0.0.1:11434/v1', key: undefined },
  lmstudio: { url: 'http://127.0.0.1:1234/v1', key: undefined },
  vllm: { url: 'http://127.0.0.1:8000/v1', key: undefined },
} as const;
type PresetName = keyof typeof modelPresets;
export const modelServerNames = Object.keys(modelPresets) as readonly PresetName[];

export interface ModelServer {
  readonly name: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly keyVariable: string;
}

/** Returns the preset that a model name starts with, and the rest of the name. */
export function splitModelPreset(model: string): { preset: PresetName; name: string } | undefined {
  const slash = model.indexOf('/');
  const preset = model.slice(0, Math.max(0, slash));
  const name = model.slice(slash + 1);
  return Object.hasOwn(modelPresets, preset) && name !== '' ? { preset: preset as PresetName, name } : undefined;
}

/** Returns the server's base URL. The credential store keeps the API key under this URL. */
export function modelServerUrl({ name, base_url }: ResolvedProfile['model']): string {
  return base_url ?? modelPresets[splitModelPreset(name ?? '')?.preset ?? 'openai'].url;
}

/**
 * Returns the profile's model server and its key. A key is sent only to the server that it is for: OPENAI_API_KEY to
 * OpenAI, TRADE_AGENT_API_KEY to the chosen server.
 * @param storedKey the server's key in the credential store (auth/model-key.ts)
 * @throws {TradeAgentError} `invalid_config`
 */
export function resolveModelServer(
  settings: ResolvedProfile['model'],
  env: Readonly<Record<string, string | undefined>>,
  storedKey: string | undefined,
): ModelServer {
  if (settings.name === undefined) {
    throw new TradeAgentError('invalid_config', 'the profile has no model', {
      hint: 'Set model.name in config.yaml, or use --model NAME.',
    });
  }
  const named = splitModelPreset(settings.name);
  const url = modelServerUrl(settings);
  const known = Object.values(modelPresets).find((preset) => sameHost(preset.url, url));
  const keyVariable = known?.key ?? 'TRADE_AGENT_API_KEY';
  const key = (env.TRADE_AGENT_API_KEY || undefined) ?? storedKey ?? (env[keyVariable] || undefined);
  const name = named?.name ?? settings.name;
  if (key === undefined && known?.key !== undefined) {
    throw new TradeAgentError('invalid_config', `there is no API key for ${name} at ${new URL(url).host}`, {
      hint: `Set ${keyVariable} or TRADE_AGENT_API_KEY, store the key with "trade-agent profile set-secret --of model", or use the built-in planner with --model builtin.`,
    });
  }
  return { name, url, key, keyVariable };
}

function sameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;
}
