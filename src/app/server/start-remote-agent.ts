import type { Agent } from '../../agent/agent.ts';
import { createRemoteAgent } from '../../agent/remote/remote-agent.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { defined } from '../../values/defined.ts';
import type { AgentOptions, App } from '../app.ts';

/**
 * The agent of the server that the profile names.
 * @throws {TradeAgentError} `login_required`; `usage` for a model's address, which is the server's to choose
 */
export async function startRemoteAgent(app: App, options: AgentOptions): Promise<Agent> {
  const { readOnly = false, model, baseUrl } = options;
  if (baseUrl !== undefined) {
    throw new TradeAgentError('usage', 'which model server is asked is for the agent’s server to say', {
      hint: 'Leave out --base-url; --model chooses between the server’s model and builtin.',
    });
  }
  const [session, account] = await Promise.all([app.requireSession(), app.account()]);
  return createRemoteAgent({
    session,
    clock: app.clock,
    readOnly,
    ...defined({ model, account }),
  });
}
