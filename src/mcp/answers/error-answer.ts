import type { CallToolResult } from '@modelcontextprotocol/server';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Environment } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import { toolAnswer, untrusted } from './answer.ts';

/** Unexpected errors are reported without their message, which may quote secrets. */
export function errorAnswer(error: unknown, environment: Environment): CallToolResult {
  const known = isTradeAgentError(error) ? error : unforeseen();
  const { code, message, hint, details } = known;
  const { problem, broker_message, ...rest } = details;
  return toolAnswer(
    {
      environment,
      message: hint === undefined ? `${message}.` : `${message}. ${hint}`,
      status: 'error',
      error: typeof problem === 'string' && code === 'gateway_refused' ? problem : code,
      ...defined({ hint }),
      ...(Object.keys(rest).length === 0 ? {} : { details: rest }),
      ...(broker_message === undefined ? {} : { broker_message, ...untrusted('the broker') }),
    },
    true,
  );
}

function unforeseen(): TradeAgentError {
  return new TradeAgentError('internal', 'something went wrong in trade-agent', {
    hint: 'Look at list_proposals before you try again.',
  });
}
