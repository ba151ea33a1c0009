import type { Approved, Proposer, UnderMandate } from '../../approval/kind.ts';
import type { MandatePorts } from '../../approval/kinds/mandate/kind.ts';
import type { Cover, OrderPorts, Outside } from '../../approval/kinds/order/kind.ts';
import type { CountedMandate, MandateStore } from '../../store/mandate-store.ts';
import { slotOf } from '../../trading/mandate/cadence.ts';
import { mandateDigest } from '../../trading/mandate/envelope.ts';
import type { MandateState } from '../../trading/mandate/mandate.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Account } from '../../trading/views.ts';
import type { Broker } from '../broker/broker.ts';
import { dayBegan } from '../policy/limits.ts';
import { unknownSymbol } from '../policy/policy.ts';
import { mandateState } from './mandate-state.ts';
import { withinMandate } from './within-mandate.ts';

export interface MandatePortsOptions {
  readonly mandates: MandateStore;
  readonly brokerFor: (who: Pick<Proposer, 'sub' | 'accessToken'>) => Promise<Broker>;
  /** Dollars that an order counts for; null where nothing bounds it. */
  readonly countOf: (draft: OrderDraft) => string | null;
  /** Digest of the rules as they are. */
  readonly policyDigest: () => Promise<string>;
  /** Whether the rules let anybody have a mandate over an account. @throws {Refusal} 403 `policy_denied` */
  readonly requireGrantable: (proposer: Proposer, account: Account) => Promise<void>;
  readonly maxSlippage: string;
  readonly isShown: boolean;
  /** Whose approvals count. */
  readonly issuer: string;
  readonly now: () => number;
}

/** What the approval kernel does about mandates: by this gateway's store, rules and broker. */
export function mandatePorts(options: MandatePortsOptions): MandatePorts & Pick<OrderPorts, 'cover'> {
  const { mandates, brokerFor, policyDigest, maxSlippage, isShown, now } = options;
  const query = () => ({ since: dayBegan(now()) });
  return {
    maxSlippage,
    isShown,
    async account(proposer, symbols) {
      const broker = await brokerFor(proposer);
      const [account, ...assets] = await Promise.all([
        broker.account(),
        ...symbols.map((symbol) => broker.asset(symbol)),
      ]);
      const unknown = symbols.find((_, index) => assets[index] === undefined);
      if (unknown !== undefined) throw unknownSymbol(unknown);
      return account;
    },
    async policy(proposer, account) {
      await options.requireGrantable(proposer, account);
      return await policyDigest();
    },
    async requireReplaceable(sub, id) {
      const found = await mandates.find(sub, id, query());
      if (found === undefined) throw noSuchMandate();
      if (found.state === 'revoked' || found.state === 'replaced') throw mandateEnded(found.state);
    },
    grant: (terms, owner) => grant(options, terms, owner),
    isGranted: async (sub, id) => (await mandates.find(sub, id, query())) !== undefined,
    cover: (proposer, under, draft) => cover(options, proposer, under, draft),
  };
}

async function grant(
  { mandates, issuer, now }: MandatePortsOptions,
  terms: Parameters<MandatePorts['grant']>[0],
  { sub, jti }: Approved,
): Promise<void> {
  const mandate = {
    id: terms.mandate_id,
    sub,
    terms,
    digest: mandateDigest(terms),
    approval: { issuer, jti },
  };
  switch (await mandates.grant(mandate, now())) {
    case 'granted':
    case 'known':
      return;
    case 'approval_used':
      throw new Refusal(403, 'approval_already_used', 'the approval was used for something else', {
        challenge: {},
      });
    case 'not_replaceable':
      throw mandateEnded('ended');
  }
}

/** Of whichever covers it, the one that ends first; where none does, the one that it is least outside of tells why. */
async function cover(
  options: MandatePortsOptions,
  { sub, jkt = '' }: Proposer,
  { mandate, slot }: UnderMandate,
  draft: OrderDraft,
): Promise<Cover> {
  const { mandates, now } = options;
  const policy = await options.policyDigest();
  const at = now();
  const order = { draft, notional: options.countOf(draft), slot, jkt, policy };
  const outsideOf = (found: CountedMandate): Outside[] =>
    withinMandate(
      found.terms,
      { ...found.used, state: mandateState(found, at), in_slot: found.inSlot },
      order,
      at,
    );
  const candidates: CountedMandate[] = [];
  for (const { id, terms } of await named(options, sub, mandate)) {
    const use = { slot: slotOf(terms.cadence, at) ?? '', symbol: draft.symbol, side: draft.side };
    const found = await mandates.find(sub, id, { since: dayBegan(at), slot: use });
    if (found !== undefined) candidates.push(found);
  }
  const tried = candidates.map((found) => ({ found, outside: outsideOf(found) }));
  const inside = tried.find(({ outside }) => outside.length === 0)?.found;
  if (inside !== undefined) {
    const present = slotOf(inside.terms.cadence, at);
    return {
      by: { mandate: inside.id, ...(present === undefined ? {} : { slot: present }) },
      outside: [],
    };
  }
  const [nearest] = tried.toSorted((a, b) => a.outside.length - b.outside.length);
  return { outside: nearest?.outside ?? [none] };
}

const none: Outside = { reason: 'MANDATE_NOT_FOUND', text: 'there is no mandate in force' };

/** @throws {Refusal} 404 `not_found`: the same for another's as for none */
async function named(
  { mandates, now }: MandatePortsOptions,
  sub: string,
  mandate: string,
): Promise<CountedMandate[]> {
  const query = { since: dayBegan(now()) };
  if (mandate !== 'any') {
    const found = await mandates.find(sub, mandate, query);
    if (found === undefined) throw noSuchMandate();
    return [found];
  }
  const open: readonly MandateState[] = ['active', 'exhausted'];
  const all = await mandates.list(sub, query);
  return all
    .filter((found) => open.includes(mandateState(found, now())))
    .sort((a, b) => Date.parse(a.terms.expires_at) - Date.parse(b.terms.expires_at));
}

export function noSuchMandate(): Refusal {
  return new Refusal(404, 'not_found', 'there is no such mandate of yours', {
    hint: 'List them with "trade-agent mandates".',
    members: { reason: 'MANDATE_NOT_FOUND', reasons: ['MANDATE_NOT_FOUND'] },
  });
}

export function mandateEnded(state: string): Refusal {
  return new Refusal(409, 'mandate_ended', `the mandate is ${state} already`, {
    hint: 'Ask for a new one: "trade-agent mandates add".',
  });
}
