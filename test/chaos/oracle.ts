import canonicalize from 'canonicalize';
import { isAllowedDuringHalt } from '../../src/approval/access.ts';
import { allowedTransitions } from '../../src/approval/transitions.ts';
import type { BookedOrder } from '../../src/sandbox/paper-broker/books/order-json.ts';
import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { OrderDraft } from '../../src/trading/order.ts';
import type { ProposalState } from '../../src/trading/proposal.ts';
import { isSettledState } from '../../src/trading/proposal.ts';
import { type WithLegs, withLegs } from '../fixtures/booked-legs.ts';
import { isWithinApproval } from '../fixtures/within-approval.ts';
import { checkAnswers } from './answers-oracle.ts';
import { checkBatches } from './batch-oracle.ts';
import { checkConclusions } from './conclusion-oracle.ts';
import { checkEnds } from './ends-oracle.ts';
import { checkMandates } from './mandate-oracle.ts';
import type { AuditLine } from './observer.ts';
import { checkPeople } from './people-oracle.ts';
import { draftsOf, type Placing, placing } from './placing.ts';
import type { Question } from './questions.ts';
import { checkWire } from './wire-oracle.ts';
import type { World } from './world.ts';

/** What a history got wrong; all of it, since one fault often shows in several ways. */
export class Breach extends Error {
  override name = 'Breach';
  constructor(breaches: readonly string[]) {
    super(breaches.join('\n'));
  }
}

export type Must = (holds: boolean, otherwise: string) => void;

export interface Evidence {
  readonly world: World;
  /** Each order with the exits that came with it. */
  readonly book: readonly WithLegs<BookedOrder>[];
  readonly rows: readonly StoredProposal[];
  readonly placing: ReadonlyMap<string, Placing>;
  readonly audit: readonly AuditLine[];
  /** The questions that were asked about a proposal, by the code that both show. */
  readonly questionsOf: (row: StoredProposal) => readonly Question[];
  readonly linesOf: (row: StoredProposal) => readonly AuditLine[];
}

/**
 * Holds a settled world against the promise. It believes the broker's book, the provider's own log of what was asked and
 * decided, the gateway's record, and what went over the wire; never what the gateway says of itself without these.
 * @returns how many proposals had to be carried out at once
 */
export async function check(world: World): Promise<number> {
  const breaches: string[] = [];
  const must: Must = (holds, otherwise) => {
    if (!holds) breaches.push(otherwise);
  };
  const audit = world.audit();
  const rows = await world.proposals();
  const linesOf = ({ id }: StoredProposal) => audit.filter(({ proposal }) => proposal === id);
  const proposedAt = (row: StoredProposal) => Date.parse(linesOf(row)[0]?.at ?? '');
  const evidence: Evidence = {
    world,
    book: withLegs(world.broker.book()),
    rows,
    placing: placing(rows),
    audit,
    // A code is drawn again once its proposal is over: a question is about the newest that had it when it was asked.
    questionsOf: (row) =>
      world.provider.questions.all.filter(({ bindingMessage, askedAt }) => {
        if (!bindingMessage.endsWith(` ${row.code}`)) return false;
        const before = rows.filter(({ code }) => code === row.code).filter((one) => proposedAt(one) <= askedAt);
        return before.length < 2 || before.toSorted((a, b) => proposedAt(a) - proposedAt(b)).at(-1) === row;
      }),
    linesOf,
  };
  checkBook(evidence, must);
  checkTokens(evidence, must);
  checkRecord(evidence, must);
  checkHalts(evidence, must);
  const unhindered = checkEnds(evidence, must);
  checkAnswers(evidence, must);
  checkPeople(evidence, must);
  checkAdopted(evidence, must);
  checkWire(evidence, must);
  checkConclusions(evidence, must);
  checkMandates(evidence, must);
  checkBatches(evidence, must);
  const verdict = await world.verifyAudit();
  must(verdict.ok, `the record does not verify: ${JSON.stringify(verdict)}`);
  must(world.troubles.length === 0, `something went wrong in the gateway: ${world.troubles.join('; ')}`);
  if (breaches.length > 0) throw new Breach([...new Set(breaches)]);
  return unhindered;
}

/** One approval one order, of the approved terms, at most the worst case; and no other order. */
function checkBook({ world, book, rows, placing, questionsOf }: Evidence, must: Must): void {
  for (const order of book) {
    const id = order.client_order_id;
    must(book.filter((other) => other.client_order_id === id).length === 1, `${id} is twice in the book`);
    const placed = placing.get(id);
    must(placed !== undefined, `${id} is in the book, and nobody proposed it`);
    if (placed === undefined) continue;
    const { row, draft } = placed;
    must(row.state === 'executed', `${id} is in the book, but its proposal ended as ${row.state}`);
    must(order.account_number === draft.account, `${id} is in somebody else's account`);
    must(isWithin(order, draft), `${id} is in the book with other terms than were approved`);
    // Approved beforehand: see mandate-oracle.ts.
    if (draft.mandate !== undefined) continue;
    const approvedBy = (sub: string) =>
      questionsOf(row).some(
        (question) =>
          question.decision === 'approve' &&
          question.sub === sub &&
          !question.spoilt.some(({ by }) => by === 'other_person' || by === 'other_details') &&
          (question.decidedAt ?? Number.POSITIVE_INFINITY) < question.expiresAt &&
          (question.decidedAt ?? Number.POSITIVE_INFINITY) <= Date.parse(order.submitted_at ?? '') &&
          showed(question, row),
      );
    must(approvedBy(row.sub), `${id} is in the book, and its owner never approved these values in time`);
    must(
      row.second === undefined || approvedBy(row.second),
      `${id} is in the book, and the second person never approved these values in time`,
    );
  }
  for (const row of rows) {
    // What of a batch is placed: see batch-oracle.ts.
    if (draftsOf(row).length !== 1) continue;
    const placed = book.filter(({ client_order_id }) => client_order_id === row.subjectId).length;
    must(
      placed === (row.state === 'executed' ? 1 : 0),
      `${row.id} is ${row.state}, and ${placed} orders of it are in the book`,
    );
  }
  must(
    world.network.sent.every(({ note }) => note.clientOrderId === undefined || note.proposal !== undefined),
    'an order was sent that nobody proposed',
  );
}

/** What turned out to be in the book after all is said to be: by the journal, and by each phone that was asked about it. */
function checkAdopted({ world, rows, linesOf, questionsOf }: Evidence, must: Must): void {
  const adopted = rows.filter((row) => adoptedAt(linesOf(row)) !== undefined);
  if (adopted.length === 0) return;
  const states = new Map(world.kept().reservations.map((one) => [one.client_order_id, one.state]));
  for (const row of adopted) {
    const isPlaced = draftsOf(row).some(({ client_order_id }) => states.get(client_order_id) === 'placed');
    must(isPlaced, `${row.id} was adopted, and the journal has no order of it`);
    for (const { id, told } of questionsOf(row)) {
      if (id !== row.authReqId && id !== row.ownerAuthReqId) continue;
      const last = told.at(-1)?.state;
      must(last === 'executed', `${row.id} was adopted, and the last the phone was told is ${last}`);
    }
  }
}

/** Whether the phone was told what the row says. Where a provider is told no details, the code is all there is. */
function showed({ details }: Question, row: StoredProposal): boolean {
  if (details === undefined) return true;
  return (
    details.proposal === row.id &&
    details.digest === row.digest &&
    canonicalize(details.subject) === canonicalize(row.subject)
  );
}

function isWithin(order: WithLegs<BookedOrder>, draft: OrderDraft): boolean {
  return (
    isWithinApproval({ ...draft, order_type: draft.type }, order) &&
    order.symbol === draft.symbol &&
    order.side === draft.side &&
    order.time_in_force === draft.time_in_force &&
    order.notional === null &&
    (draft.stop_price === undefined || same(order.stop_price, draft.stop_price)) &&
    (draft.qty === undefined || same(order.qty, draft.qty))
  );
}

function same(a: string | null | undefined, b: string | null | undefined): boolean {
  return (a == null && b == null) || (a != null && b != null && Number(a) === Number(b));
}

/** One approval's token, one order; and no settled row keeps one. */
function checkTokens({ world, book, rows, questionsOf }: Evidence, must: Must): void {
  for (const { id, state, hasToken } of rows) {
    must(!(isSettledState(state) && hasToken), `${id} is ${state} and still keeps a token`);
  }
  const jtis = new Set(world.provider.questions.all.map(({ jti }) => jti));
  for (const jti of jtis) {
    if (jti === undefined) continue;
    const bought = rows.filter((row) => {
      const tokens = questionsOf(row).flatMap((question) => (question.jti === undefined ? [] : [question.jti]));
      // Of two orders whose approvals got tokens of one jti, each may have had another, good approval.
      const isOnly = tokens.length > 0 && tokens.every((token) => token === jti);
      return isOnly && book.some(({ client_order_id }) => client_order_id === row.subjectId);
    });
    must(bought.length <= 1, `the approval token ${jti} bought ${bought.length} orders`);
  }
}

const STATE_OF: Readonly<Record<string, ProposalState>> = {
  proposed: 'drafted',
  asked_again: 'drafted',
  owner_approved: 'requested',
  second_requested: 'requested',
  not_taken: 'approved',
  approved_by_mandate: 'approved',
};

/** What a line of the record made of its proposal. */
export function stateAfter({ event }: AuditLine): ProposalState {
  return STATE_OF[event] ?? (event as ProposalState);
}

/** When a proposal that was given up turned out to have been carried out; the gateway's time. */
export function adoptedAt(lines: readonly AuditLine[]): number | undefined {
  const givenUp = lines.findIndex(({ event }) => event === 'expired' || event === 'blocked');
  const adopted = givenUp < 0 ? undefined : lines.slice(givenUp).find(({ event }) => event === 'executed');
  return adopted === undefined ? undefined : Date.parse(adopted.at);
}

/** The record tells every proposal's way, each step once, along the table of transitions, to where its row is. */
function checkRecord({ rows, audit, linesOf }: Evidence, must: Must): void {
  for (const row of rows) {
    const lines = linesOf(row);
    const way = lines.map(stateAfter);
    must(lines[0]?.event === 'proposed', `the record does not begin ${row.id} with its proposal`);
    must(way.at(-1) === row.state, `${row.id} is ${row.state}, and the record ends with ${way.at(-1)}`);
    must(lines.filter(({ event }) => event === 'proposed').length === 1, `${row.id} was proposed twice`);
    for (const [index, line] of lines.entries()) {
      const [from, to] = [way[index], way[index + 1]];
      if (from === undefined || to === undefined) continue;
      // A later look at an order tells of its fill.
      const isFill =
        from === 'executed' &&
        to === 'executed' &&
        canonicalize(line.result) !== canonicalize(lines[index + 1]?.result);
      must(isFill || allowedTransitions[from].includes(to), `the record has ${row.id} go from ${from} to ${to}`);
      must(line.digest === row.digest, `the record tells of another subject than ${row.id} has`);
    }
  }
  const known = new Set(rows.map(({ id }) => id));
  must(
    audit.every(({ proposal }) => proposal === undefined || known.has(proposal)),
    'the record tells of a proposal that there is not',
  );
}

/** While trading is halted nothing begins to be carried out but what passes a halt. */
function checkHalts({ audit, rows, linesOf }: Evidence, must: Must): void {
  const halted = new Set<string>();
  for (const line of audit) {
    if (line.event === 'halted') halted.add(line.sub);
    if (line.event === 'lifted') halted.delete(line.sub);
    const row = rows.find(({ id }) => id === line.proposal);
    if (row === undefined || isAllowedDuringHalt(row.kind) || !halted.has(row.sub)) continue;
    const lines = linesOf(row);
    const before = lines[lines.indexOf(line) - 1]?.event;
    const begins = line.event === 'executing' && (before === 'approved' || before === 'not_taken');
    must(!begins, `${row.id} began to be carried out while trading was halted`);
    must(line.event !== 'proposed', `${row.id} was proposed while trading was halted`);
  }
}
