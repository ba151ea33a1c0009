import { TradeAgentError } from '../../errors/errors.ts';
import type { ActingTool } from '../../gateway/broker/acting-tool.ts';
import { toolsOf } from '../../gateway/broker/verify-keys.ts';
import type { App } from '../app.ts';
import { brokerNamed, type WhoseKeys } from './broker-account.ts';
import { withHome } from './open-home.ts';
import { personOf } from './pair-phone.ts';

/**
 * What a broker's own tools that send and cancel orders say of themselves now, and how they stand beside what `gateway.yaml`
 * confirms; asked for with a person's kept token.
 * @throws {TradeAgentError} `usage`, `not_found` where nothing of theirs is kept, `broker_rejected`, `broker_unreachable`
 */
export async function lookAtBrokerTools(
  app: Pick<App, 'clock' | 'fetch'>,
  { folder, username, broker: name }: WhoseKeys,
): Promise<{ readonly broker: string; readonly tools: readonly ActingTool[] }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const broker = brokerNamed(home, name);
    const look = toolsOf(broker);
    const kept = await home.keyPairs(broker).find(person.username);
    if (kept === undefined) {
      throw new TradeAgentError('not_found', `nothing of ${person.username} is kept for this broker`, {
        hint: 'Give it first: "trade-agent home broker set".',
      });
    }
    const { environment } = home.gateway;
    return {
      broker: broker.name,
      tools: await look(kept.pair, { environment, fetch: app.fetch }),
    };
  });
}
