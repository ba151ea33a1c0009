import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import type { Activity } from './activity.ts';
import type { Life } from './life.ts';

/** The longest way to the store and back, turns of the event loop each. */
const FURTHEST = 3;

/** Stores as on another machine: calls and answers take time, and the process may die on either way. */
export function distantStores(stores: GatewayStores, life: Life, activity: Activity): GatewayStores {
  let calls = 0;
  const travel = async (turns: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      activity.sign();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const distant = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          const number = calls++;
          return await life.outside(async () => {
            await travel((number * 7) % (FURTHEST + 1));
            const done = await method.apply(target, given);
            await travel((number * 5 + 2) % (FURTHEST + 1));
            return done;
          });
        };
      },
    });
  return {
    orders: distant(stores.orders),
    messages: distant(stores.messages),
    proofs: distant(stores.proofs),
    proposals: distant(stores.proposals),
    queue: distant(stores.queue),
    halts: distant(stores.halts),
    decisions: distant(stores.decisions),
    keys: distant(stores.keys),
    audit: distant(stores.audit),
    checkpoints: distant(stores.checkpoints),
    brokerKeys: distant(stores.brokerKeys),
    defaultAccounts: distant(stores.defaultAccounts),
    access: distant(stores.access),
    limits: distant(stores.limits),
    earlyPings: distant(stores.earlyPings),
    mandates: distant(stores.mandates),
    standing: distant(stores.standing),
  };
}
