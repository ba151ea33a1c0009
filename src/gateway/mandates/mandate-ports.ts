import type { Approval, MandateUse, Proposer, UncoveredReason } from '../../approval/kind.ts';
import type { MandatePorts } from '../../approval/kinds/mandate/kind.ts';
import type { MandateCoverage, OrderPorts } from '../../approval/kinds/order/kind.ts';
import type { CountedMandate, MandateStore } from '../../store/mandate-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { currentSlot } from '../../trading/mandate/cadence.ts';
import { mandateDigest } from '../../trading/mandate/envelope.ts';
import type { MandateState } from '../../trading/mandate/mandate.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { requireAllowedAction } from '../policy/decide.ts';
import { unknownSymbolProblem } from '../policy/order-world.ts';
import type { RulesSource } from '../policy/rules.ts';
import { findMandateMismatches } from '../policy/within-mandate.ts';

interface MandatePortsOptions extends Pick<MandatePorts, 'brokerOf' | 'maxSlippage' | 'isShown'> {
  readonly mandates: MandateStore;
  readonly brokerFor: OpenAccountFor;
  readonly rules: RulesSource;
  readonly issuer: string;
  readonly now: () => number;
}

export function createMandatePorts(options: MandatePortsOptions): MandatePorts & Pick<OrderPorts, 'cover'> {
  const { mandates, brokerFor, brokerOf, rules, maxSlippage, isShown, now } = options;
  const query = () => ({ since: newYorkMidnight(now()) });
  return {
    maxSlippage,
    isShown,
    brokerOf,
    async isUnattended(proposer, named) {
      return (await brokerFor(proposer, named)).at.isUnattended;
    },
    async account(proposer, named, symbols) {
      const broker = await brokerFor(proposer, named);
      const [account, ...assets] = await Promise.all([
        broker.account(),
        ...symbols.map((symbol) => broker.asset(symbol)),
      ]);
      const unknown = symbols.find((_, index) => assets[index] === undefined);
      if (unknown !== undefined) throw unknownSymbolProblem(unknown);
      return account;
    },
    async policy(proposer, account) {
      const found = await rules.current();
      const { sub, clientId } = proposer;
      const by = { sub, client: clientId, owner: sub, approval: 'none', approvers: [] } as const;
      requireAllowedAction(found, by, 'grant_mandate', account, now());
      return found.digest;
    },
    async requireReplaceable(sub, id) {
      const found = await mandates.find(sub, id, query());
      if (found === undefined) throw noSuchMandateProblem();
      if (found.state === 'revoked' || found.state === 'replaced') throw mandateEndedProblem(found.state);
    },
    grant: (terms, owner) => grant(options, terms, owner),
    isGranted: async (sub, id) => (await mandates.find(sub, id, query())) !== undefined,
    cover: (proposer, under, draft) => cover(options, proposer, under, draft),
  };
}

async function grant(
  { mandates, rules, issuer, now }: MandatePortsOptions,
  terms: Parameters<MandatePorts['grant']>[0],
  { sub, jti, proposer, clientId = '', acr }: Approval,
): Promise<void> {
  const by = { sub, client: clientId, owner: sub, approval: 'tap', approvers: [sub], acr } as const;
  requireAllowedAction(await rules.current(), by, 'grant_mandate', terms, now());
  const mandate = {
    id: terms.mandate_id,
    sub,
    terms,
    digest: mandateDigest(terms),
    approval: { issuer, jti },
    client: proposer?.client ?? clientId,
  };
  switch (await mandates.grant(mandate, now())) {
    case 'granted':
    case 'known':
      return;
    case 'approval_used':
      throw new HttpProblem(403, 'approval_already_used', 'the approval was already used for something else', {
        challenge: {},
      });
    case 'not_replaceable':
      throw mandateEndedProblem('ended');
  }
}

/**
 * Finds a mandate that covers the order. If several do, uses the mandate that ends first. If none does, returns the
 * mismatches of the mandate that has the fewest.
 */
async function cover(
  options: MandatePortsOptions,
  { sub, jkt = '' }: Proposer,
  { mandate, slot }: MandateUse,
  draft: OrderDraft,
): Promise<MandateCoverage> {
  const { mandates, now } = options;
  const rules = await options.rules.current();
  const at = now();
  const candidates: CountedMandate[] = [];
  for (const { id, terms } of await findMandates(options, sub, mandate)) {
    const use = { slot: currentSlot(terms.cadence, at) ?? '', symbol: draft.symbol, side: draft.side };
    const found = await mandates.find(sub, id, { since: newYorkMidnight(at), slot: use });
    if (found !== undefined) candidates.push(found);
  }
  const tried = candidates.map((found) => ({
    found,
    outside: findMandateMismatches(found, { draft, slot, jkt, rules }, at),
  }));
  const inside = tried.find(({ outside }) => outside.length === 0)?.found;
  if (inside !== undefined) {
    const present = currentSlot(inside.terms.cadence, at);
    return {
      by: { mandate: inside.id, ...defined({ slot: present }) },
      outside: [],
    };
  }
  const [nearest] = tried.toSorted((a, b) => a.outside.length - b.outside.length);
  return { outside: nearest?.outside ?? [noActiveMandate] };
}

const noActiveMandate: UncoveredReason = { reason: 'MANDATE_NOT_FOUND', text: 'there is no active mandate' };

/** Finds a mandate, or all open mandates for `any`. @throws {HttpProblem} 404 `not_found`, also for others' mandates */
async function findMandates(
  { mandates, now }: MandatePortsOptions,
  sub: string,
  mandate: string,
): Promise<CountedMandate[]> {
  const query = { since: newYorkMidnight(now()) };
  if (mandate !== 'any') {
    const found = await mandates.find(sub, mandate, query);
    if (found === undefined) throw noSuchMandateProblem();
    return [found];
  }
  const open: readonly MandateState[] = ['active', 'exhausted'];
  const all = await mandates.list(sub, query);
  return all
    .filter((found) => open.includes(effectiveMandateState(found, now())))
    .sort((a, b) => Date.parse(a.terms.expires_at) - Date.parse(b.terms.expires_at));
}

export function noSuchMandateProblem(): HttpProblem {
  return new HttpProblem(404, 'not_found', 'you have no such mandate', {
    hint: 'List your mandates with "trade-agent mandates".',
    members: { reason: 'MANDATE_NOT_FOUND', reasons: ['MANDATE_NOT_FOUND'] },
  });
}

export function mandateEndedProblem(state: string): HttpProblem {
  return new HttpProblem(409, 'mandate_ended', `the mandate is already ${state}`, {
    hint: 'Propose a new mandate with "trade-agent mandates add".',
  });
}
