import type { AIMessageChunk, UsageMetadata } from '@langchain/core/messages';
import { Dec, toPlain } from '../../trading/decimal.ts';

export interface ModelUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Dollars as a decimal string; absent if any call's cost is unknown. */
  readonly cost_usd?: string;
}

/** Dollars per million tokens. */
export interface TokenPrice {
  readonly input: string;
  readonly output: string;
}

const MILLION = 1_000_000;

/**
 * Returns a response's token usage and cost. The cost is reported by the server (OpenRouter's `usage.cost`) or computed
 * from the profile's price.
 */
export function readResponseUsage(answer: AIMessageChunk, price: TokenPrice | undefined): ModelUsage {
  // The cast is needed because the message's type parameters hide this public field.
  const { usage_metadata: spent } = answer as unknown as { usage_metadata?: UsageMetadata };
  const input_tokens = spent?.input_tokens ?? 0;
  const output_tokens = spent?.output_tokens ?? 0;
  const said = (answer.response_metadata.usage as { cost?: unknown } | undefined)?.cost;
  const cost =
    typeof said === 'number' && Number.isFinite(said) && said >= 0
      ? new Dec(said)
      : price === undefined
        ? undefined
        : new Dec(price.input).times(input_tokens).plus(new Dec(price.output).times(output_tokens)).div(MILLION);
  return {
    input_tokens,
    output_tokens,
    ...(cost === undefined ? {} : { cost_usd: toPlain(cost.toDecimalPlaces(12)) }),
  };
}

export function addUsage(earlier: ModelUsage, later: ModelUsage): ModelUsage {
  const first = earlier.input_tokens === 0 && earlier.output_tokens === 0;
  const known = later.cost_usd !== undefined && (first || earlier.cost_usd !== undefined);
  return {
    input_tokens: earlier.input_tokens + later.input_tokens,
    output_tokens: earlier.output_tokens + later.output_tokens,
    ...(known ? { cost_usd: toPlain(new Dec(earlier.cost_usd ?? 0).plus(later.cost_usd ?? 0)) } : {}),
  };
}
