import type { ProposalOrigin } from '../../approval/kind.ts';
import type { MessageDraft } from '../../trading/message.ts';
import type { Provenance } from '../../trading/proposal.ts';
import type { DecisionFacts } from './decision.ts';

/** Name of the fact that lists the sources of outside text. Not set if the owner's own words decide the order. */
const UNSAID_AFTER_FACT = 'origin.unsaid_after';

export const OWN_WORDS_HINT = 'Say it in your own words, with symbol, side and amount, such as "buy 3 KO"';

/** Values of `source` that mark a field as the owner's: their words, their default, or a rule that they set up. */
const ownSources: readonly (string | undefined)[] = ['user', 'default', 'computed'];

/** The fields that decide an order. The side is excluded: "buy what the file says" also states a side. */
const orderFields = ['symbol', 'qty', 'notional'];

export const OWN_WORDS_MESSAGE_HINT =
  'Say it in your own words, with the recipient and any note, such as "email my portfolio to bob@example.com".';

/** The fields whose origin is that of a replacement or a batch. Neither kind has its own `symbol` field. */
const otherFields = ['order_id', 'qty', 'limit_price', 'stop_price', 'trail', 'orders'];
/**
 * Fields that count as the owner's if a rule computed them: either the rule starts from the owner's words, such as a
 * company's name, or the owner set up the rule. A side or a quantity that was computed from a position does not count,
 * because a model may have chosen the position.
 */
const fieldsByRule = ['symbol', 'order_id', 'orders'];

/** Returns whether any field that decides the order is in the owner's own words, or computed from them. */
function isSaid({ fields }: Provenance): boolean {
  return (fields.symbol === undefined ? otherFields : orderFields).some((name) => {
    const source = fields[name]?.source;
    return source === 'user' || (source === 'computed' && fieldsByRule.includes(name));
  });
}

/** Name of the fact that says that an agent other than the owner's made the proposal. */
const OTHER_AGENT_FACT = 'origin.other_agent';
/** Name of the fact that says whether the owner has traded the order's symbol, or named it in their own order. */
const SYMBOL_KNOWN_FACT = 'origin.symbol_known';

/**
 * Returns facts about where a proposal comes from. Other agents' proposals contain nothing about their conversation.
 * @param isKnown whether the owner has traded or named the order's symbol; called only for other agents' proposals
 */
export async function loadOriginFacts(
  origin: ProposalOrigin | undefined,
  isKnown: () => Promise<boolean>,
): Promise<DecisionFacts['more']> {
  if (origin === undefined) return {};
  if (origin.isOtherAgent) return { [OTHER_AGENT_FACT]: true, [SYMBOL_KNOWN_FACT]: await isKnown() };
  const { tainted_by: outside = [] } = origin.provenance;
  return outside.length > 0 && !isSaid(origin.provenance) ? { [UNSAID_AFTER_FACT]: outside } : {};
}

/**
 * Returns facts about where a message comes from. The recipient, the subject and the text must each be the owner's, or
 * computed by a rule, because even one sentence from somebody else could reveal or promise anything.
 */
export function toMessageOriginFacts(
  origin: ProposalOrigin | undefined,
  { subject }: Pick<MessageDraft, 'subject'>,
): DecisionFacts['more'] {
  if (origin === undefined || origin.isOtherAgent) return {};
  const { fields, tainted_by: outside = [] } = origin.provenance;
  const decisive = ['recipient', 'text', ...(subject === undefined ? [] : ['subject'])];
  const isOwners = decisive.every((name) => ownSources.includes(fields[name]?.source));
  return outside.length > 0 && !isOwners ? { [UNSAID_AFTER_FACT]: outside } : {};
}

export const isFromOtherAgent = ({ more }: Pick<DecisionFacts, 'more'>): boolean => more[OTHER_AGENT_FACT] === true;

export const isSymbolKnown = ({ more }: Pick<DecisionFacts, 'more'>): boolean => more[SYMBOL_KNOWN_FACT] === true;

/** Returns the sources of outside text that an order may come from; undefined if the owner's words decide it. */
export function findUnsaidAfter({ more }: Pick<DecisionFacts, 'more'>): string | undefined {
  const outside = more[UNSAID_AFTER_FACT];
  return Array.isArray(outside) ? outside.join(', ') : undefined;
}
