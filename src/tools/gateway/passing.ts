import { isTradeAgentError } from '../../errors/errors.ts';

/** Whether the same question may be answered a little later. */
export function isPassing(error: unknown): boolean {
  if (!isTradeAgentError(error)) return false;
  const { code, details } = error;
  if (code === 'gateway_unreachable' || code === 'provider_unreachable') return true;
  // What a provider answers to a server is its answer until somebody sets it up otherwise.
  if (details.problem === 'provider_error') return false;
  return details.status === 429 || Number(details.status) >= 500;
}
