import type { AIMessageChunk } from '@langchain/core/messages';
import { z } from 'zod';
import type { ResolvedProfile } from '../auth/profile.ts';
import type { Tool } from '../tools/tool.ts';
import type { Clock } from '../trading/clock.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { ChatModel } from './chat-model.ts';

export interface ModelOptions {
  readonly settings: ResolvedProfile['model'];
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  /** The key, where the caller has one from the credential store. */
  readonly apiKey?: string | undefined;
  /** Where TRADE_AGENT_API_KEY or OPENAI_API_KEY may be. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
}

/** For the first byte of an answer, milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Between two pieces of a streamed answer: a stream that stalls never ends by itself. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_RETRIES = 2;

/** The tools as OpenAI's chat API takes them. */
export function toolDefinitions(tools: readonly Tool[]) {
  return tools.map(({ name, description, schema }) => ({
    type: 'function' as const,
    function: {
      name,
      description,
      parameters: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    },
  }));
}

/**
 * The model a profile names: the built-in planner, or any server that speaks OpenAI's chat API.
 * @throws {TradeAgentError} `invalid_config` where no key can be found
 */
export async function chooseModel(options: ModelOptions): Promise<ChatModel> {
  if (options.settings.provider === 'builtin') {
    const { BuiltinPlanner } = await import('./planner/planner.ts');
    const planner = new BuiltinPlanner();
    return {
      name: 'built-in planner',
      builtin: true,
      stream: async function* (messages, signal) {
        yield* await planner.stream(messages, { signal });
      },
    };
  }
  return openAiModel(options);
}

async function openAiModel({
  settings,
  tools,
  clock,
  apiKey,
  env = {},
  fetch,
}: ModelOptions): Promise<ChatModel> {
  const name = settings.name;
  if (name === undefined) {
    throw new TradeAgentError('invalid_config', 'the profile names no model', {
      hint: 'Set model.name in config.yaml, or use --model NAME.',
    });
  }
  const key = apiKey ?? env.TRADE_AGENT_API_KEY ?? env.OPENAI_API_KEY;
  if (key === undefined && settings.base_url === undefined) {
    throw new TradeAgentError('invalid_config', `there is no API key for ${name}`, {
      hint: 'Set TRADE_AGENT_API_KEY or OPENAI_API_KEY, or use the built-in planner with --model builtin.',
    });
  }
  const { ChatOpenAI } = await import('@langchain/openai');
  /** Counting tokens fetches tables from the internet and stalls for minutes without it. A guess does for us. */
  class Model extends ChatOpenAI {
    override async getNumTokens(content: Parameters<InstanceType<typeof ChatOpenAI>['getNumTokens']>[0]) {
      return Math.ceil((typeof content === 'string' ? content : JSON.stringify(content)).length / 4);
    }
  }
  const bound = new Model({
    model: name,
    // A local server wants no key, but the client insists on one.
    apiKey: key ?? 'none',
    maxRetries: MAX_RETRIES,
    timeout: REQUEST_TIMEOUT_MS,
    streamUsage: true,
    useResponsesApi: false,
    configuration: {
      ...(settings.base_url === undefined ? {} : { baseURL: settings.base_url }),
      ...(fetch === undefined ? {} : { fetch }),
    },
  }).bindTools(toolDefinitions(tools));
  return {
    name,
    builtin: false,
    async *stream(messages, signal) {
      const idle = new AbortController();
      const combined = AbortSignal.any([signal, idle.signal]);
      try {
        const stream = await bound.stream(messages, { signal: combined });
        yield* withIdleTimeout(stream, idle, clock);
      } catch (error) {
        if (signal.aborted) throw error;
        throw modelError(error, name, idle.signal.aborted);
      }
    },
  };
}

async function* withIdleTimeout(
  stream: AsyncIterable<AIMessageChunk>,
  idle: AbortController,
  clock: Clock,
): AsyncGenerator<AIMessageChunk> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const came = new AbortController();
    const watch = clock.sleep(IDLE_TIMEOUT_MS, came.signal).then(
      () => idle.abort(),
      () => undefined,
    );
    const next = await iterator.next().finally(() => came.abort());
    await watch;
    if (next.done) return;
    yield next.value;
  }
}

/** The server's own text stays out: it may quote part of the key. */
function modelError(error: unknown, name: string, stalled: boolean): TradeAgentError {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  const timedOut = error instanceof Error && /timeout/i.test(error.name);
  const [message, hint] =
    stalled || timedOut
      ? [`the model ${name} stopped answering`, 'Try again.']
      : status === 401 || status === 403
        ? ['the model’s server refused the API key', 'Check TRADE_AGENT_API_KEY or OPENAI_API_KEY.']
        : status === 404
          ? [`the model’s server does not know ${name}`, 'Check model.name and model.base_url.']
          : status === 429
            ? ['the model’s server refuses more requests for now', 'Wait a little, or check your plan there.']
            : Number.isNaN(status)
              ? ['the model’s server cannot be reached or broke off', 'Check model.base_url and the network.']
              : [`the model’s server answered with HTTP status ${status}`, 'Try again, or another model.'];
  return new TradeAgentError('model_error', message, {
    hint,
    details: Number.isNaN(status) ? {} : { status },
  });
}
