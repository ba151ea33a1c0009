import {
  type ModelServer,
  modelListHeaders,
  modelProviderNames,
  modelServerUrl,
  providerModelName,
  resolveModelServer,
  splitModelName,
} from '../agent/model/model-server.ts';
import type { ResolvedProfile } from '../config/profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { limitResponseSize } from '../net/bounded-fetch.ts';
import { loadModelKey } from '../secrets/model-key.ts';
import type { AgentOptions, App } from './app.ts';
import { withModelOptions } from './chosen-model.ts';

/** Requests a model server's list of models (OpenAI API). */
export function requestModels(app: App, server: ModelServer, timeoutMs: number): Promise<Response> {
  return app.fetch(`${server.url.replace(/\/+$/, '')}/models`, {
    headers: modelListHeaders(server),
    redirect: 'error',
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(timeoutMs)]),
  });
}

const MAX_LIST_BYTES = 4 * 1024 * 1024;

/** Returns the model names in a server's response, or undefined if it contains no list or too many names. */
export async function readModelNames(response: Response): Promise<string[] | undefined> {
  try {
    const { data } = (await (await limitResponseSize(response, MAX_LIST_BYTES)).json()) as { data?: unknown };
    if (!Array.isArray(data)) return undefined;
    return data.map((model: unknown) => String((model as { id?: unknown } | null)?.id));
  } catch {
    return undefined;
  }
}

/** Timeout for listing models, in milliseconds. It is short because most local servers are probably not running. */
const LIST_TIMEOUT_MS = 1500;
/** Maximum number of models listed per server. */
const MAX_LISTED = 500;

export interface ListedModel {
  readonly name: string;
  /** Host of the model's server. Undefined for the built-in planner. */
  readonly server: string | undefined;
}

/**
 * Lists models that a session can use: the planner, the profile's model, and the models that the profile's server and
 * known providers offer now. Leaves out servers that do not respond or for which there is no key. The list is empty if
 * a server runs the agent, because only that server knows its models.
 */
export async function listModels(app: App, options: AgentOptions): Promise<ListedModel[]> {
  const profile = await app.writtenProfile();
  if (profile.server !== undefined) return [];
  const { model } = withModelOptions(profile, options);
  const { name } = model;
  const own = name === undefined ? [] : [{ name, server: hostOf(modelServerUrl(model)) }];
  // TRADE_AGENT_API_KEY applies only to the selected server.
  const { TRADE_AGENT_API_KEY: _, ...env } = app.env;
  const others = modelProviderNames
    .map((provider) => ({ provider: 'openai' as const, name: `${provider}/any` }))
    .filter((other) => name === undefined || modelServerUrl(other) !== modelServerUrl(model));
  const lists = await Promise.all([
    ...(name === undefined ? [] : [listFrom(app, app.env, model)]),
    ...others.map((other) => listFrom(app, env, other)),
  ]);
  return [{ name: 'builtin', server: undefined }, ...own, ...lists.flat().filter((one) => one.name !== name)];
}

async function listFrom(
  app: App,
  env: Readonly<Record<string, string | undefined>>,
  settings: ResolvedProfile['model'],
): Promise<ListedModel[]> {
  try {
    const url = modelServerUrl(settings);
    const server = resolveModelServer(settings, env, await loadModelKey(await app.store(), url));
    const response = await requestModels(app, server, LIST_TIMEOUT_MS);
    const names = response.ok ? ((await readModelNames(response)) ?? []) : [];
    // The name of a known provider's model includes the provider, because the profile may use another server.
    const named = settings.base_url === undefined ? splitModelName(settings.name ?? '') : undefined;
    return names.slice(0, MAX_LISTED).map((name) => ({
      name: named === undefined ? name : providerModelName(named.provider, name),
      server: hostOf(url),
    }));
  } catch {
    app.signal.throwIfAborted();
    return [];
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

interface ModelTest {
  readonly model: string;
  /** Host of the model's server. */
  readonly server: string;
  /** `text` means that the model writes calls as text, which trade-agent also executes. */
  readonly tool_calls: 'native' | 'text' | 'none';
  readonly ms: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

const TEST_PROMPT = 'Call the tool get_quote for AAPL. Do not answer in words.';

/**
 * Sends the model a small request with one tool. The tool is not executed.
 * @throws {TradeAgentError} `usage` for the built-in planner; `invalid_config`, `model_error`
 */
export async function testModel(app: App, options: AgentOptions): Promise<ModelTest> {
  const { model: settings } = withModelOptions(await app.writtenProfile(), options);
  if (settings.provider === 'builtin') {
    throw new TradeAgentError('usage', 'the built-in planner calls no server', {
      hint: 'Name a model: trade-agent models test PROVIDER/NAME. "trade-agent models list" lists models.',
    });
  }
  const url = modelServerUrl(settings);
  const apiKey = await loadModelKey(await app.store(), url);
  const [
    { createChatModel },
    { getQuote },
    { readResponseUsage },
    { splitReasoning },
    { classifyResponseText },
    messages,
  ] = await Promise.all([
    import('../agent/model/create-chat-model.ts'),
    import('../tools/get-quote.ts'),
    import('../agent/model/usage.ts'),
    import('../agent/model/held-text.ts'),
    import('../agent/model/written-calls.ts'),
    import('@langchain/core/messages'),
  ]);
  const { clock, env, fetch, signal } = app;
  const model = await createChatModel({ settings, tools: [getQuote], clock, apiKey, env, fetch });
  const began = clock.now();
  let answer = new messages.AIMessageChunk('');
  for await (const chunk of model.stream([new messages.HumanMessage(TEST_PROMPT)], signal, app.tell, [getQuote.name])) {
    answer = answer.concat(chunk);
  }
  const isNative = (answer.tool_call_chunks ?? []).some(({ name }) => name === getQuote.name);
  const written = classifyResponseText(splitReasoning(answer.text).answer, [getQuote.name], false);
  const { input_tokens, output_tokens } = readResponseUsage(answer, undefined);
  return {
    model: model.name,
    server: hostOf(url),
    tool_calls: isNative ? 'native' : written.kind === 'calls' ? 'text' : 'none',
    ms: Math.round(clock.now() - began),
    input_tokens,
    output_tokens,
  };
}
