import type { StoredProposal } from '../../src/store/proposal-store.ts';
import { isSettledState } from '../../src/trading/proposal.ts';
import { isHindered } from './ends-oracle.ts';
import type { Sent } from './network.ts';
import type { AuditLine } from './observer.ts';
import { type Evidence, type Must, stateAfter } from './oracle.ts';
import { draftsOf } from './placing.ts';
import type { Question } from './questions.ts';
import type { World } from './world.ts';

/** How often one person is asked about one proposal, by gateways that live on and hear that the question was put. */
const MOST_ASKED = 3;
/** Longer than it takes to keep an answer. */
const KEPT_MS = 2_000;
/** Longer than it takes until a no is heard where nothing is in the way, beyond the provider's interval. */
const HEARD_MS = 7_000;

/** Whom the gateway asked, how often, and that a no and a withdrawal were honored. */
export function checkPeople(evidence: Evidence, must: Must): void {
  const { world, rows, questionsOf } = evidence;
  const asked = new Set<Question>();
  for (const row of rows) {
    const questions = questionsOf(row);
    for (const question of questions) asked.add(question);
    rightPeople(row, questions, must);
    asOftenAsNeeded(evidence, row, questions, must);
    denied(evidence, row, questions, must);
  }
  for (const question of world.provider.questions.all)
    must(asked.has(question), `${question.id} was asked about no proposal`);
  withdrawn(evidence, must);
}

/** The owner of the account and, once they said yes, the second person that the proposal names. Nobody else. */
function rightPeople(row: StoredProposal, questions: readonly Question[], must: Must): void {
  for (const { sub, askedAt } of questions) {
    must(sub === row.sub || sub === row.second, `${sub} was asked about ${row.id}, which is ${row.sub}'s`);
    if (sub === row.sub) continue;
    const yes = questions.some(
      (other) => other.sub === row.sub && other.decision === 'approve' && (other.decidedAt ?? 0) <= askedAt,
    );
    must(yes, `${sub} was asked about ${row.id} before its owner said yes`);
  }
  if (row.state === 'drafted') must(questions.length === 0, `${row.id} is drafted, and was asked about`);
}

/** Once each, unless it is not known that they were, or their answer was lost. */
function asOftenAsNeeded({ world }: Evidence, row: StoredProposal, questions: readonly Question[], must: Must): void {
  const puts = new Map<string, Sent>();
  for (const sent of world.network.sent) if (sent.path.startsWith('/bc-authorize')) puts.set(idIn(sent.answer), sent);
  // As they left: the request of a gateway that has died since may arrive after the one of the next.
  const order = [...puts.keys()];
  const asked = questions.toSorted((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  for (const [sub, all] of Map.groupBy(asked, (question) => question.sub)) {
    const isKnown = ({ id, askedAt }: Question) => isPutKnown(world, puts.get(id), askedAt);
    const heard = all.filter(isKnown);
    must(heard.length <= MOST_ASKED, `${sub} was asked ${heard.length} times about ${row.id}`);
    // Two processes may both have found it.
    if (world.gateways() > 1) continue;
    for (const question of all.slice(0, -1)) {
      const isLost = question.redeemed || question.spoilt.length > 0;
      must(isLost || !isKnown(question), `${sub} was asked about ${row.id} again, with nothing lost`);
    }
  }
}

/** Whether the gateway that put a question heard that it did, lived on, and could keep it. */
function isPutKnown({ hindrances }: World, put: Sent | undefined, at: number): boolean {
  const isAway = hindrances.some((one) => one.what === 'store' && one.at <= at + KEPT_MS && one.until >= at);
  return put?.heard === true && put.status === 200 && !put.from.dead && !isAway;
}

function idIn(answer: string): string {
  return answer.startsWith('{') ? String((JSON.parse(answer) as { auth_req_id?: string }).auth_req_id) : '';
}

/** A no to the question that counts ends the proposal. Nothing is placed after it. */
function denied(evidence: Evidence, row: StoredProposal, questions: readonly Question[], must: Must): void {
  const { world } = evidence;
  for (const { id, decision, decidedAt = 0, expiresAt } of questions) {
    const counts = id === row.authReqId || id === row.ownerAuthReqId;
    if (decision !== 'deny' || !counts) continue;
    const ends = row.state !== 'executed' && isSettledState(row.state);
    must(ends, `${row.id} was denied, and is ${row.state}`);
    const heardBy = decidedAt + world.options.interval * 1000 + HEARD_MS;
    if (heardBy >= Math.min(expiresAt, row.deadline) || isHindered(world, 0, heardBy)) continue;
    must(row.state === 'denied' || row.state === 'cancelled', `${row.id} was denied in time, and is ${row.state}`);
  }
}

/** Who withdrew is told the truth: taken back, and then nothing is placed, or too late, since it is carried out or over. */
function withdrawn({ world, rows, book, linesOf }: Evidence, must: Must): void {
  const isTimeSound = !world.hindrances.some(({ what }) => what === 'skew');
  for (const told of world.told) {
    if (told.what !== 'withdrawn' || told.status === undefined) continue;
    const row = rows.find(({ id }) => id === told.id);
    if (row === undefined) continue;
    if (told.status < 300) {
      must(row.state === 'cancelled', `${row.id} was taken back, and is ${row.state}`);
      const ids = new Set(draftsOf(row).map(({ client_order_id }) => client_order_id));
      const placed = book.some(({ client_order_id }) => ids.has(client_order_id));
      must(!placed, `${row.id} was taken back, and an order of it is in the book`);
    }
    if (told.status !== 409 || !isTimeSound) continue;
    const states = statesBetween(linesOf(row), told.begunAt, told.endedAt);
    must(
      states.some((state) => !['drafted', 'requested', 'approved'].includes(state)),
      `${row.id} could not be withdrawn, and was ${states.join(', ')}`,
    );
  }
}

/** Where the record had a proposal from one time to another. */
function statesBetween(lines: readonly AuditLine[], from: number, to: number): string[] {
  const first = lines.findLastIndex(({ at }) => Date.parse(at) < from);
  return lines.slice(Math.max(0, first)).flatMap((line) => (Date.parse(line.at) <= to ? [stateAfter(line)] : []));
}
