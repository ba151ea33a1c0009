import type { AIMessageChunk, UsageMetadata } from '@langchain/core/messages';
import { Dec, plain } from '../../trading/decimal.ts';

/** What a prompt's model calls came to. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Dollars, a decimal string; absent where a call's cost is not known. */
  readonly cost_usd?: string;
}

/** What a million tokens cost, in dollars. */
export interface Price {
  readonly input: string;
  readonly output: string;
}

const MILLION = 1_000_000;

/**
 * What one answer used. Its cost is what the server says (`usage.cost`, as OpenRouter sends it), else what the
 * profile's price makes of the tokens; without either it is not known, and not guessed.
 */
export function usageOf(answer: AIMessageChunk, price: Price | undefined): Usage {
  // The type has it, but hides it behind the message's own type parameters.
  const { usage_metadata: spent } = answer as unknown as { usage_metadata?: UsageMetadata };
  const input_tokens = spent?.input_tokens ?? 0;
  const output_tokens = spent?.output_tokens ?? 0;
  const said = (answer.response_metadata.usage as { cost?: unknown } | undefined)?.cost;
  const cost =
    typeof said === 'number' && Number.isFinite(said) && said >= 0
      ? new Dec(said)
      : price === undefined
        ? undefined
        : new Dec(price.input)
            .times(input_tokens)
            .plus(new Dec(price.output).times(output_tokens))
            .div(MILLION);
  return {
    input_tokens,
    output_tokens,
    ...(cost === undefined ? {} : { cost_usd: plain(cost.toDecimalPlaces(12)) }),
  };
}

/** A sum whose cost is known only where every part's is. */
export function addUsage(earlier: Usage, later: Usage): Usage {
  const first = earlier.input_tokens === 0 && earlier.output_tokens === 0;
  const known = later.cost_usd !== undefined && (first || earlier.cost_usd !== undefined);
  return {
    input_tokens: earlier.input_tokens + later.input_tokens,
    output_tokens: earlier.output_tokens + later.output_tokens,
    ...(known ? { cost_usd: plain(new Dec(earlier.cost_usd ?? 0).plus(later.cost_usd ?? 0)) } : {}),
  };
}
