import type { AuditNote } from '../../../src/store/audit.ts';
import type {
  ProposalChange,
  ProposalDraft,
  ProposalStore,
  StoredProposal,
} from '../../../src/store/proposal-store.ts';
import { aProposalDraft } from '../../fixtures/builders.ts';

export const proposedNote = (proposal: string): AuditNote => ({ event: 'proposed', facts: { proposal } });

/** Drafts and changes proposals of a store, each under a key of its own. */
export const proposalsIn = (store: ProposalStore) => ({
  async drafted(id: string, more: Partial<ProposalDraft> = {}, now = 1000, key = id): Promise<StoredProposal> {
    const draft = aProposalDraft(id, more);
    const by = { sub: draft.proposedBy ?? draft.sub, client: 'trade-agent', key, request: 'body' };
    const found = await store.draft(draft, by, await store.snapshot(draft, 0), proposedNote(id), now);
    if (found.outcome !== 'drafted') throw new Error(found.outcome);
    return found.proposal;
  },
  change: (seen: StoredProposal, to: Partial<ProposalChange>, now = 2000, unlessHalted = false) =>
    store.change(seen, { ...seen, token: 'kept', ...to }, proposedNote(seen.id), { now, unlessHalted }),
});
