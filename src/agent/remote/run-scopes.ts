import {
  CANCEL_SCOPE,
  PROPOSE_ORDERS,
  READ_SCOPES,
  type Scope,
  SESSION_SCOPES,
  USE_MANDATES,
  WATCHLIST_SCOPE,
} from '../../oauth/scopes.ts';
import type { RunInput, RunOptions } from '../agent.ts';

/** What a run that asks nobody may do. */
const UNASKED = [...READ_SCOPES, CANCEL_SCOPE, WATCHLIST_SCOPE] as const;
/** Orders alone, by a program. */
const ORDERS = [...UNASKED, PROPOSE_ORDERS] as const;

/**
 * What a run needs in the person's name: no token of theirs is good for more than what the run may do. Whether live money
 * needs a fresh sign-in follows from these (auth/session/token-session.ts).
 * @param input undefined for one that is resumed
 */
export function runScopes(
  { approval, mandates = [] }: Pick<RunOptions, 'approval' | 'mandates'>,
  readOnly: boolean,
  input: RunInput | undefined,
): readonly Scope[] {
  if (readOnly) return READ_SCOPES;
  if (approval === 'deny') return UNASKED;
  if (approval === 'mandate') return [...ORDERS, USE_MANDATES];
  if (input === undefined || 'prompt' in input) return SESSION_SCOPES;
  return mandates.length === 0 ? ORDERS : [...ORDERS, USE_MANDATES];
}

/** What the runs of a schedule need: they are done while the person is away. */
export function scheduleScopes({
  suggest,
  approval,
}: {
  readonly suggest: boolean;
  readonly approval: RunOptions['approval'];
}): readonly Scope[] {
  return suggest && approval !== 'deny' ? [...ORDERS, USE_MANDATES] : READ_SCOPES;
}
