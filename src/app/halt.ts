import type { HaltState } from '../tools/gateway/safeguard-requests.ts';
import type { App } from './app.ts';
import type { ApprovalListener } from './approvals/propose-and-wait.ts';

/** Stops all trading and withdraws pending approvals. `reducing` stops only orders that would increase a position. */
export async function haltTrading(app: App, state: 'halted' | 'reducing' = 'halted'): Promise<HaltState> {
  return (await app.gateway()).halt(state);
}

/**
 * Resumes trading after approval on the phone. If trading is not halted, no approval is requested.
 * @param requestedBy the requester's name, as shown to the person
 * @returns the current state, because trading may have been halted again in the meantime
 * @throws {TradeAgentError} the reason if resuming was not approved
 */
export async function liftHalt(
  app: App,
  requestedBy: string,
  asking: () => Promise<ApprovalListener>,
): Promise<HaltState> {
  const gateway = await app.gateway();
  if ((await gateway.halted()).state !== 'active') {
    const { proposeAndWait } = await import('./approvals/propose-and-wait.ts');
    await proposeAndWait(app, { kind: 'lift', lift: {}, requested_by: requestedBy }, await asking());
  }
  return await gateway.halted();
}
