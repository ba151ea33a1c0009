import type { Asking } from '../../app/approvals/ask-and-wait.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { Context } from '../context/context.ts';

/**
 * Proposes without an agent, shows the question, and waits for the person.
 * @returns the proposal once it was carried out
 * @throws {TradeAgentError} what stands for its end, where nothing came of it
 */
export async function askAndWait(context: Context, request: ProposalRequestInput): Promise<Proposal> {
  const app = await import('../../app/approvals/ask-and-wait.ts');
  return app.askAndWait(context, request, await showAsking(context));
}

/** Shows on the terminal what the phone is asked, and each change of it. */
export async function showAsking(context: Context): Promise<Asking> {
  const { io, output, clock } = context;
  const { createRunRenderer } = await import('./run-renderer.ts');
  const { phone } = await context.profile();
  const renderer = createRunRenderer(io, clock, { format: output.format, phone });
  return {
    changed: (approval) => {
      const event = { type: 'approval', approval } as const;
      output.event(event);
      if (output.format !== 'stream-json') renderer.show(event);
    },
    notice: (message) => renderer.show({ type: 'notice', message }),
  };
}
