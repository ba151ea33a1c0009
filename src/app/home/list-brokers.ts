import { brokerOf, traitsOf } from '../../gateway/broker/brokers.ts';
import type { App } from '../app.ts';
import { withHome } from './open-home.ts';

/** A broker of a home, and whose accounts are opened there. */
export interface ListedBroker {
  readonly name: string;
  readonly kind: string;
  /** What its owner calls it, or the broker's own name. */
  readonly label: string;
  readonly credentials: string;
  /** Where it is, where that is not at its own addresses. */
  readonly address: string | null;
  readonly accounts: readonly { readonly user: string; readonly number: string }[];
}

/** Asks no broker. @throws {TradeAgentError} `invalid_config` where there is no home */
export async function listBrokers(app: Pick<App, 'clock'>, folder: string): Promise<ListedBroker[]> {
  return await withHome(app, folder, async ({ gateway, keyPairs }) =>
    Promise.all(
      gateway.brokers.map(async (broker) => {
        const { address } = brokerOf(broker);
        const kept = await keyPairs(broker).list();
        return {
          name: broker.name,
          kind: broker.kind,
          label: broker.label ?? traitsOf(broker).label,
          credentials: broker.credentials ?? 'exchange',
          address: (broker as Readonly<Record<string, unknown>>)[address]?.toString() ?? null,
          accounts: kept.map(({ sub, accountNumber }) => ({ user: sub, number: accountNumber })),
        };
      }),
    ),
  );
}
