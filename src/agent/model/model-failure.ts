import { TradeAgentError } from '../../errors/errors.ts';
import { defined } from '../../values/defined.ts';

/** How a model server failed, in facts that are safe to show. */
export type ModelFailure =
  /** May be retried. `retryAfterMs` as the server said. */
  | { readonly kind: 'transient'; readonly status?: number; readonly retryAfterMs?: number }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'too_long' }
  /** Ended early, or was not an answer. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'refused'; readonly status: number };

export class AnswerCutOff extends Error {
  override name = 'AnswerCutOff';
}

/** OpenAI's code, and the wording of vLLM, llama.cpp, LM Studio and OpenRouter. */
const tooLong =
  /context[_ ]?(length|window|size|overflow)|maximum context|too many tokens|prompt is too long|exceed\w* .{0,40}(context|token limit)/i;

/** Classifies the client's error. The server's text is not kept: it may quote part of the key. */
export function modelFailure(error: unknown, stalled: boolean): ModelFailure {
  const facts = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const text = `${String(facts.name)} ${String(facts.code)} ${String(facts.message)}`;
  if (stalled || /timeout/i.test(String(facts.name))) return { kind: 'stalled' };
  if (error instanceof AnswerCutOff || error instanceof SyntaxError) return { kind: 'broken' };
  const status = typeof facts.status === 'number' ? facts.status : undefined;
  if ((status === undefined || status === 400 || status === 413) && tooLong.test(text))
    return { kind: 'too_long' };
  if (status === undefined || status === 408 || status === 429 || status >= 500) {
    return { kind: 'transient', ...defined({ status, retryAfterMs: retryAfter(facts.headers) }) };
  }
  return { kind: 'refused', status };
}

/** `retry-after-ms`, or Retry-After in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter(headers: unknown): number | undefined {
  if (!(headers instanceof Headers)) return undefined;
  const ms = headers.get('retry-after-ms');
  if (ms !== null && /^\d+(\.\d+)?$/.test(ms)) return Number(ms);
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const wait = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

export function modelError(failure: ModelFailure, server: Server): TradeAgentError {
  const [message, hint] = errorWords(failure, server);
  const status = 'status' in failure ? failure.status : undefined;
  return new TradeAgentError('model_error', message, { hint, details: defined({ status }) });
}

interface Server {
  readonly name: string;
  readonly url: string;
  readonly keyVariable: string;
}

function errorWords(failure: ModelFailure, { name, url, keyVariable }: Server): readonly [string, string] {
  const { host } = new URL(url);
  switch (failure.kind) {
    case 'stalled':
      return [`the model ${name} stopped answering`, `Try again; see whether ${host} is overloaded.`];
    case 'broken':
      return [
        'the model’s server broke off, or sent what is no answer',
        'Nothing was done with what came. Try again, or another model.',
      ];
    case 'too_long':
      return [
        `the conversation is too long for ${name}`,
        'Start a new thread, give less as standard input, or use a model that reads more.',
      ];
  }
  switch (failure.status) {
    case undefined:
      return [
        `the model’s server at ${host} cannot be reached or broke off`,
        'Check that it runs, model.base_url, and the network.',
      ];
    case 401:
    case 403:
      return ['the model’s server refused the API key', `Check ${keyVariable} or TRADE_AGENT_API_KEY.`];
    case 402:
      return ['the model’s server wants to be paid first', `Check your plan at ${host}.`];
    case 404:
      return [`the model’s server does not know ${name}`, 'Check model.name and model.base_url.'];
    case 429: {
      const ms = failure.kind === 'transient' ? failure.retryAfterMs : undefined;
      const wait = ms === undefined ? 'a little' : `${Math.ceil(ms / 1000)} s`;
      return [
        'the model’s server refuses more requests for now',
        `Wait ${wait}, or check your plan at ${host}.`,
      ];
    }
    default:
      return [
        `the model’s server answered with HTTP status ${failure.status}`,
        'Try again, or another model.',
      ];
  }
}
