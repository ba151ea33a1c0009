import {
  CANCEL_SCOPE,
  MANDATE_SCOPE,
  PROPOSE_ORDERS_SCOPE,
  READ_SCOPES,
  type Scope,
  SESSION_SCOPES,
  WATCHLIST_SCOPE,
} from '../../oauth/scopes.ts';
import type { RunInput, RunOptions } from '../agent.ts';

const WITHOUT_APPROVAL = [...READ_SCOPES, CANCEL_SCOPE, WATCHLIST_SCOPE] as const;
/** Scopes of a run whose orders the caller gives explicitly, without a model. */
const ORDERS = [...WITHOUT_APPROVAL, PROPOSE_ORDERS_SCOPE] as const;

/**
 * Returns the scopes that a run needs. The run's token has only these scopes. With real money, the scopes also decide
 * whether the person must sign in again.
 * @param input undefined for a resumed run
 */
export function resolveRunScopes(
  { approval, mandates = [] }: Pick<RunOptions, 'approval' | 'mandates'>,
  readOnly: boolean,
  input: RunInput | undefined,
): readonly Scope[] {
  if (readOnly) return READ_SCOPES;
  if (approval === 'deny') return WITHOUT_APPROVAL;
  if (approval === 'mandate') return [...ORDERS, MANDATE_SCOPE];
  if (input === undefined || 'prompt' in input) return SESSION_SCOPES;
  return mandates.length === 0 ? ORDERS : [...ORDERS, MANDATE_SCOPE];
}

/** Returns the scopes of a scheduled run, during which the person may be away. */
export function resolveScheduleScopes({
  suggest,
  approval,
}: {
  readonly suggest: boolean;
  readonly approval: RunOptions['approval'];
}): readonly Scope[] {
  return suggest && approval !== 'deny' ? [...ORDERS, MANDATE_SCOPE] : READ_SCOPES;
}
