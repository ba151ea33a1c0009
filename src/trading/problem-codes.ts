import type { TradeAgentError } from './errors.ts';

/**
 * Every code that the gateway refuses with, or says of a proposal's end (docs/GATEWAY.md, "Errors"). Stable: programs
 * match on them. What each means to the caller is the client's to say (tools/gateway/gateway-problem.ts), for every one.
 */
export const problemCodes = [
  // the access token, and the proof that its key is at hand
  'token_missing',
  'token_malformed',
  'token_type',
  'token_algorithm',
  'token_signature',
  'token_key_unknown',
  'token_issuer',
  'token_audience',
  'token_expired',
  'token_not_yet_valid',
  'token_claims',
  'token_bound',
  'token_not_bound',
  'token_revoked',
  'dpop_proof_missing',
  'dpop_proof_malformed',
  'dpop_proof_algorithm',
  'dpop_proof_signature',
  'dpop_proof_method',
  'dpop_proof_url',
  'dpop_proof_token',
  'dpop_proof_stale',
  'dpop_proof_replayed',
  'dpop_key_mismatch',
  'client_not_allowed',
  'client_unknown',
  'insufficient_scope',
  // the approval
  'approval_missing',
  'approval_ambiguous',
  'approval_malformed',
  'approval_expired',
  'approval_already_used',
  'approval_required',
  'approval_denied',
  'approval_cancelled',
  'approved_by_another_user',
  'details_mismatch',
  // the request
  'body_too_large',
  'unsupported_media_type',
  'malformed_json',
  'invalid_query',
  'invalid_order',
  'invalid_message',
  'invalid_proposal',
  'idempotency_key_missing',
  'idempotency_key_conflict',
  'client_order_id_conflict',
  'client_message_id_conflict',
  'not_found',
  // a proposal, and the rules
  'proposal_executing',
  'proposal_settled',
  'policy_denied',
  'resting',
  'too_many_open',
  'too_many_asked',
  'not_halted',
  // the account, the market, the order
  'account_mismatch',
  'account_not_connected',
  'environment_mismatch',
  'blocked',
  'insufficient_funds',
  'market_closed',
  'price_moved',
  'price_unavailable',
  'unknown_symbol',
  'symbol_not_tradable',
  'symbol_not_fractionable',
  'not_cancelable',
  'not_replaceable',
  'not_placed',
  'outcome_unknown',
  // those behind the gateway, and itself
  'broker_busy',
  'broker_timeout',
  'broker_unavailable',
  'broker_invalid_response',
  'broker_rejected',
  'message_rejected',
  'service_busy',
  'service_not_available',
  'provider_unreachable',
  'provider_error',
  'answer_lost',
  'token_exchange_failed',
  'state_corrupt',
  'closing',
  'internal',
] as const; // prettier-ignore
export type ProblemCode = (typeof problemCodes)[number];

/** Whether this is a code that this version knows; another's gateway may have more. */
export function isProblemCode(code: string): code is ProblemCode {
  return (problemCodes as readonly string[]).includes(code);
}

/** An error of the program's own as a problem: its code where the gateway has one of that name. */
export function problemCodeOf({ code }: TradeAgentError): ProblemCode {
  return isProblemCode(code) ? code : 'internal';
}
