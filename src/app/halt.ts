import type { Halt } from '../tools/gateway/kept-requests.ts';
import type { App } from './app.ts';
import type { Asking } from './approvals/ask-and-wait.ts';

/**
 * Stops all trading at the gateway, and withdraws what waits for the phone; or stops what makes positions larger
 * (`reducing`).
 */
export async function halt(app: App, state: 'halted' | 'reducing' = 'halted'): Promise<Halt> {
  return (await app.gateway()).halt(state);
}

/**
 * Lets trading go on, once the phone approves; where nothing is halted, nobody is asked.
 * @param requestedBy who asks, as the person is told
 * @returns how it stands then: it may have been halted again meanwhile
 * @throws {TradeAgentError} what stands for a no
 */
export async function liftHalt(app: App, requestedBy: string, asking: () => Promise<Asking>): Promise<Halt> {
  const gateway = await app.gateway();
  if ((await gateway.halted()).state !== 'active') {
    const { askAndWait } = await import('./approvals/ask-and-wait.ts');
    await askAndWait(app, { kind: 'lift', lift: {}, requested_by: requestedBy }, await asking());
  }
  return await gateway.halted();
}
