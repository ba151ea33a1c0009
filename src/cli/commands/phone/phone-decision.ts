import type { DecisionAnswer } from '../../../app/phone.ts';
import { proposalDetailsSchema } from '../../../approval/details.ts';
import { outcomeText, type ProposalView, toProposalView } from '../../../home/phone/page/proposal-view.ts';
import type { PhoneRequest } from '../../../home/phone/phone-client.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import { kinds } from '../../../trading/kinds/kinds.ts';
import { isMessageDetails } from '../../../trading/kinds/message.ts';
import type { Context } from '../../context/context.ts';

/** Formats a pending request as the phone shows it, with all fields of its details, including unknown fields. */
export function approvalRequestLines(request: PhoneRequest): string[] {
  const { details } = request;
  // A code that has to be typed is unknown here, so a placeholder replaces it.
  const proposal = proposalDetailsSchema.safeParse(details.code === '' ? { ...details, code: '0000' } : details).data;
  const view = proposal === undefined ? undefined : toProposalView(proposal);
  const rows: Row[] = [
    ['code', request.code === '' ? 'type the code that the agent shows' : request.code],
    ...(view === undefined ? plainRows(request) : proposalRows(request, view)),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    `${requestKind(request, view)} for ${safeLine(request.user)} to approve:`,
    ...rows.flatMap(([label, value]) =>
      // Each line of a value is indented under its label, so that no part of it can look like another field.
      value
        .split('\n')
        .map((line, index) => `  ${(index === 0 ? safeLine(label) : '').padEnd(width)}  ${safeLine(line)}`),
    ),
    'Deny this request unless you made it yourself, just now.',
  ];
}

type Row = [label: string, value: string];

function plainRows(request: PhoneRequest): Row[] {
  const details = Object.entries(request.details)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]): Row => [field, typeof value === 'string' ? value : JSON.stringify(value)]);
  return [
    ['requested by', request.client_name],
    ...(request.binding_message === null ? [] : [['message', request.binding_message] as Row]),
    ['decide by', request.expires_at],
    ...details,
  ];
}

/** Returns the rows in the same order as on the phone page, with the most important rows first. */
function proposalRows(request: PhoneRequest, view: ProposalView): Row[] {
  const optional = (label: string, value: string | undefined): Row[] => (value === undefined ? [] : [[label, value]]);
  return [
    ['request', view.headline],
    ...optional('at worst', view.total),
    ['terms', view.terms],
    ...optional('warning', view.chosenByAi),
    ...optional('again', view.again),
    ...view.warnings.map((text): Row => ['warning', text]),
    ...view.shows.map(({ label, text }): Row => [label, text]),
    ['requested by', `${view.askedBy}, through ${request.client_name}`],
    ...optional('your words', view.sentence),
    ...optional('from outside', view.tainted),
    ...view.origins.map(({ label, text }): Row => [`${label} from`, text]),
    ...optional('message', request.binding_message ?? undefined),
    ['decide by', request.expires_at],
    ...view.fields.map(({ name, text }): Row => [name, text]),
  ];
}

/** Returns the outcome of an approved proposal, such as `filled 5 at $180.12`; undefined if unknown. */
export function outcomeLine({ outcome }: PhoneRequest): string | undefined {
  return outcome === null ? undefined : safeLine(outcomeText(outcome));
}

function requestKind({ details }: PhoneRequest, view: ProposalView | undefined): string {
  if (view === undefined && isMessageDetails(details)) return kinds.message.phone.called;
  const { called } = kinds[view?.kind ?? 'order'].phone;
  const environment = view === undefined ? details.environment : view.environment;
  if (view !== undefined && environment === undefined) return called;
  return `${environmentName(environment)} ${called}`;
}

/**
 * Asks for a decision and, to approve, for the code if the request needs it. Returns undefined if the person leaves the
 * request open.
 * @throws `signal.reason` if the signal aborts
 */
export async function promptForDecision(
  context: Context,
  { details }: PhoneRequest,
  signal: AbortSignal,
): Promise<DecisionAnswer | undefined> {
  for (;;) {
    const answer = await context.io.prompt('Approve, deny, or leave it? [a/d/l] ', signal);
    const key = answer.trim().toLowerCase();
    if (['d', 'deny', 'n', 'no'].includes(key)) return { decision: 'deny' };
    if (['a', 'approve', 'y', 'yes'].includes(key)) {
      if (details.code_entry === undefined) return { decision: 'approve' };
      const code = (await context.io.prompt('Code that the agent shows: ', signal)).trim();
      if (code !== '') return { decision: 'approve', code };
    }
    if (['l', 'leave'].includes(key)) return undefined;
  }
}
