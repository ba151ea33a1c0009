import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { safeLine } from '../../text/shown-text.ts';
import { ordersSaid } from '../planner/orders-named.ts';
import type { Outcome } from './agent-state.ts';
import { ordersOfCall } from './call-words.ts';
import { prompts } from './message-history.ts';
import { standingOutcomes } from './standing-outcomes.ts';

const LONGEST_REASON = 200;
/** Words by which not all of what is named is asked for. */
const conditional = /\b(?:if|or|otherwise|unless|instead|when|whichever|either|should|what|would|could)\b/i;

export interface UndoneActs {
  /** In plain lines, for the person. Empty where all was done. */
  readonly lines: readonly string[];
  /** Acts that the person's words name and that nothing was proposed for, though for others it was. */
  readonly forgotten: string | undefined;
}

/**
 * What of the latest prompt was not done, by code: each call that came to nothing, and orders that the person's own words
 * name but the model never asked for. A model's last words may leave out either.
 */
export function undoneActs(
  messages: readonly BaseMessage[],
  outcomes: readonly Outcome[],
  said: string,
): UndoneActs {
  const failed = standingOutcomes(outcomes).flatMap(({ what, error }) =>
    what === undefined ? [] : [`Not done: ${what} (${safeLine(error.message, LONGEST_REASON)}).`],
  );
  const asked = prompts(messages).flatMap(({ text, composedBy }) => (composedBy === undefined ? [text] : []));
  const named = ordersSaid(asked);
  const from = messages.findLastIndex(({ type }) => type === 'human');
  const called = messages
    .slice(from + 1)
    .flatMap((message) =>
      AIMessage.isInstance(message) ? (message.tool_calls ?? []).flatMap(ordersOfCall) : [],
    );
  const forgotten = named.filter(
    ({ side, symbol }) => !called.some((order) => order.side === side && order.symbol === symbol),
  );
  const words = forgotten.map(({ side, symbol }) => `${side} ${symbol}`).join(', ');
  const isPart = forgotten.length > 0 && called.length > 0;
  const isNone = named.length > 0 && called.length === 0 && !said.trimEnd().endsWith('?');
  return {
    lines: [
      ...new Set(failed),
      ...(isPart
        ? [`Not proposed: ${words}.`]
        : isNone && failed.length === 0
          ? ['No order was proposed.']
          : []),
    ],
    forgotten: isPart && !conditional.test(asked.at(-1) ?? '') ? words : undefined,
  };
}
