import type { PhoneRequest } from '../../../src/home/phone/phone-request.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import type { Proposal, ProposalRequestInput } from '../../../src/trading/proposal.ts';
import type { Order } from '../../../src/trading/views.ts';
import type { Authenticator } from '../../unit/approval/signature/authenticator.ts';
import { type HttpBrowser, pairByHttp } from '../home/http-browser.ts';
import type { HostileWorld } from './hostile-world.ts';

/** A proposal, and what the phone has of it. */
export interface Asked {
  readonly proposal: Proposal;
  readonly request: PhoneRequest;
}

/** What of Alice's there is to attack: everything in it that was sent, she approved. */
export interface KnownThings {
  /** As they ended. */
  readonly states: Readonly<Record<'executed' | 'denied' | 'cancelled', Asked>>;
  readonly phones: Phones;
  /** Still to be decided. */
  readonly open: Asked;
  readonly order: Order;
  readonly mandate: string;
  /** Files: of the order, and of one under the mandate. */
  readonly receipts: Readonly<Record<'order' | 'mandated', string>>;
  /** The `client_order_id` of each order that all this has sent. */
  readonly sent: readonly string[];
}

/** A browser of Alice's that was paired, its passkey, and Bob's. */
export interface Phones {
  readonly alice: HttpBrowser;
  readonly passkey: Authenticator;
  readonly bob: HttpBrowser;
  readonly bobsPasskey: Authenticator;
}

export const limit = (symbol: string, price: string) =>
  ({ symbol, side: 'buy', qty: '1', type: 'limit', limit_price: price }) as const;

export async function knownThings({ alice, world }: HostileWorld): Promise<KnownThings> {
  const paired = async (user: string) => pairByHttp((await world.phone.pairing(user)).url);
  const [hers, his] = [await paired('alice'), await paired('bob')];
  const ask = async (request: ProposalRequestInput, key: string): Promise<Asked> => {
    const proposal = await alice.propose(request, key);
    for (;;) {
      const shown = await world.phone.requests('alice', { waitSeconds: 10 });
      const found = shown.find(({ code }) => code === proposal.code);
      if (found !== undefined) return { proposal, request: found };
    }
  };
  const receipt = async (id: string) => {
    const url = `${world.sandbox.ready.gateway}/v1/receipts/${id}`;
    return await (await alice.session.fetch(url, {}, ['orders:read'])).text();
  };
  const executed = await ask({ kind: 'order', order: limit('KO', '20') }, 'executed');
  await alice.tap(executed.proposal.code);
  const { result: order } = await alice.until(executed.proposal.id, 'executed');
  const granted = await ask(
    {
      kind: 'mandate',
      mandate: {
        ...{ symbols: ['PEP'], max_order_notional: '200', max_total_notional: '600', max_orders: 5 },
        expires_at: formatUtcSeconds(Date.now() + 20 * 86_400_000),
      },
    },
    'mandate',
  );
  await alice.tap(granted.proposal.code);
  const { result: mandate } = await alice.until(granted.proposal.id, 'executed');
  const provenance = { fields: { symbol: { source: 'user' } } } as const;
  const under = await alice.propose({ kind: 'order', order: limit('PEP', '20'), mandate: 'any', provenance });
  const { result: second } = await alice.until(under.id, 'executed');
  const denied = await ask({ kind: 'order', order: limit('KO', '19') }, 'denied');
  await alice.tap(denied.proposal.code, 'deny');
  await alice.until(denied.proposal.id, 'denied');
  const cancelled = await ask({ kind: 'order', order: limit('KO', '18') }, 'cancelled');
  await alice.send('DELETE', `/v1/proposals/${cancelled.proposal.id}`);
  await world.phone.request(cancelled.request.id, { waitSeconds: 10 });
  return {
    states: { executed, denied, cancelled },
    phones: {
      ...{ alice: hers.browser, passkey: hers.authenticator },
      ...{ bob: his.browser, bobsPasskey: his.authenticator },
    },
    open: await ask({ kind: 'order', order: limit('KO', '17') }, 'open'),
    order: order as Order,
    mandate: String((mandate as { mandate?: string }).mandate),
    receipts: { order: await receipt(executed.proposal.id), mandated: await receipt(under.id) },
    sent: [order as Order, second as Order].map(({ client_order_id }) => client_order_id),
  };
}
