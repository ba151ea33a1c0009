import type { AgentEvent, ApprovalView } from '../../agent/events.ts';
import type { AgentOptions, Context } from '../context.ts';
import { startLogin } from '../login-flow.ts';
import { approvalOutcome } from '../text/approval-lines.ts';
import { dollars } from '../text/money.ts';
import { environmentWord } from '../text/order-fields.ts';
import { ordersText, portfolioText } from '../text/reports.ts';
import { safeLine } from '../text/safe-text.ts';
import type { ChatDriver, ChatStatus } from './chat-driver.ts';
import type { ChatItem } from './chat-state.ts';

/** The chat's driver on the real parts. */
export function contextDriver(context: Context, options: AgentOptions): ChatDriver {
  // The status line opens a session before the agent does.
  if (options.readOnly) context.limitToReading();
  const report = (text: string): ChatItem => ({ type: 'report', text });
  return {
    run: (prompt, thread, signal) =>
      later(async () => {
        const agent = await context.agent(options);
        return agent.run(
          { prompt, ...(thread === undefined ? {} : { thread }) },
          { approval: 'wait', signal },
        );
      }),
    resume: (thread, signal) =>
      later(async () => (await context.agent(options)).resume(thread, { approval: 'wait', signal })),
    status: () => chatStatus(context, options),
    login: async () => {
      const login = await startLogin(context);
      return {
        ...login,
        complete: async (until) => {
          const user = await login.complete(until);
          return safeLine(user.name ?? user.email ?? user.sub);
        },
      };
    },
    portfolio: async () => {
      const gateway = await context.gateway();
      const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
      return report(await portfolioText(account, positions));
    },
    orders: async () => {
      const orders = await (await context.gateway()).orders({ status: 'all', limit: 20 });
      return report(orders.length === 0 ? 'No orders.' : await ordersText(orders));
    },
    approvals: async () => {
      const approvals = await (await context.agent(options)).approvals();
      return report(
        approvals.length === 0 ? 'No approvals.' : approvals.slice(0, 20).map(approvalLine).join('\n'),
      );
    },
  };
}

function approvalLine(approval: ApprovalView): string {
  return `${approval.id}  ${approval.code}  ${approvalOutcome(approval)}`;
}

async function* later(start: () => Promise<AsyncIterable<AgentEvent>>): AsyncIterable<AgentEvent> {
  yield* await start();
}

async function chatStatus(context: Context, options: AgentOptions): Promise<ChatStatus> {
  const { withModel } = await import('../start-agent.ts');
  const profile = withModel(await context.profile(), options);
  const session = await context.session();
  const base = {
    profile: profile.name,
    environment: environmentWord(profile.environment),
    simulated: profile.sandbox,
    model: profile.model.provider === 'builtin' ? 'built-in planner' : (profile.model.name ?? 'openai'),
    phone: profile.phone,
  };
  if (session === undefined) return { ...base, user: undefined, value: undefined };
  const { user } = session;
  const account = await (await context.gateway()).account().catch(() => undefined);
  return {
    ...base,
    user: safeLine(user.name ?? user.email ?? user.sub),
    value: account === undefined ? undefined : dollars(account.equity),
  };
}
