import type { ApprovalListener } from '../../app/approvals/propose-and-wait.ts';
import type { Context } from '../context/context.ts';

export async function createApprovalListener(context: Context): Promise<ApprovalListener> {
  const { io, output, clock } = context;
  const { RunRenderer } = await import('./run-renderer.ts');
  const { phone } = await context.profile();
  const renderer = new RunRenderer(io, clock, { format: output.format, phone });
  return {
    changed: (approval) => {
      const event = { type: 'approval', approval } as const;
      output.event(event);
      if (output.format !== 'stream-json') renderer.show(event);
    },
    notice: (message) => renderer.show({ type: 'notice', message }),
  };
}
