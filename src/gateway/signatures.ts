import type { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { GatewayOptions } from './gateway-options.ts';

/**
 * Returns the signing keys that approvals require; undefined if they need no signature.
 * @throws {TradeAgentError} `invalid_config` if approvals must be signed but there are no keys
 */
export function requiredSigningKeys({
  approval,
  environment,
  keys,
}: Pick<GatewayOptions, 'approval' | 'environment' | 'keys'>): Pick<ApprovalKeys, 'check'> | undefined {
  const { signature = 'off' } = approval ?? {};
  if (signature === 'off') return undefined;
  if (keys === undefined) {
    throw new TradeAgentError(
      'invalid_config',
      `approval.signature is "${signature}", but this gateway has no keys for people to sign with`,
      {
        hint: 'Only a home can enroll keys. Run one with "trade-agent home", or set signature to "off" in gateway.yaml.',
      },
    );
  }
  return signature === 'required' || environment === 'live' ? keys : undefined;
}

/** Requires that a home's approvals for live money are signed. @throws {TradeAgentError} `invalid_config` */
export function requireSignedLiveApprovals({
  approval,
  environment,
}: Pick<GatewayOptions, 'approval' | 'environment'>): void {
  if (environment === 'paper' || approval?.signature !== 'off') return;
  throw new TradeAgentError('invalid_config', 'approval.signature must not be "off" with live money', {
    hint: 'Set "signature: required" under approval in the home’s gateway.yaml.',
  });
}
