import { isTradeAgentError } from '../../errors/errors.ts';

/** Whether a later retry may succeed. */
export function isPassing(error: unknown): boolean {
  if (!isTradeAgentError(error)) return false;
  const { code, details } = error;
  if (code === 'gateway_unreachable' || code === 'provider_unreachable') return true;
  // Permanent until the provider is reconfigured.
  if (details.problem === 'provider_error') return false;
  return details.status === 429 || Number(details.status) >= 500;
}
