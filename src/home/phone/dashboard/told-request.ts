import { detailsTypeOfKind, type ProposalDetails, proposalDigest } from '../../../approval/details.ts';
import { kinds } from '../../../trading/kinds/kinds.ts';
import type { Proposal } from '../../../trading/proposal.ts';
import { defined } from '../../../values/defined.ts';
import { type RequestView, requestView } from '../decision/request-view.ts';

/** Between gateway and provider alone; and the code, which has a place of its own. */
const NOT_TOLD: readonly string[] = [
  'code',
  ...['type', 'actions', 'locations', 'identifier'].map((name) => `details.${name}`),
];

/**
 * The details that the phone has of a proposal, made of what the gateway tells of it. What is between the gateway and the
 * provider alone is not told, and not shown: `shownOf` leaves it out.
 */
export function detailsOf(proposal: Proposal): ProposalDetails {
  const { kind, id, code, worst_case, warnings, shows = {}, requested_by, client, again } = proposal;
  const { proposed_by, provenance = null } = proposal;
  const subject = proposal.subject as Record<string, unknown>;
  return {
    type: detailsTypeOfKind[kind],
    locations: [''],
    actions: [kinds[kind].action],
    identifier: '',
    kind,
    proposal: id,
    code,
    digest: digestOf(proposal),
    expires_at: proposal.expires_at,
    subject,
    worst_case,
    warnings,
    shows,
    requested_by,
    client,
    ...defined({ proposed_by }),
    provenance,
    ...defined({ again }),
  };
}

/** What the person's key signs, by what is shown here: another one, where something else was signed. */
export function digestOf(proposal: Proposal): string {
  const { kind, subject, worst_case, provenance = null, requested_by, client, proposed_by } = proposal;
  return proposalDigest({ kind, subject, worst_case, provenance, requested_by, client, proposed_by });
}

/** As the phone shows it. */
export function shownOf(proposal: Proposal): RequestView {
  const view = requestView({ details: detailsOf(proposal) });
  return { ...view, fields: view.fields.filter(({ name }) => !NOT_TOLD.includes(name)) };
}
