import { openStates } from '../../src/approval/transitions.ts';
import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { ProposalState } from '../../src/trading/proposal.ts';
import { quotasOf } from './gateway-processes.ts';
import type { Evidence, Must } from './oracle.ts';
import { isOverMandate } from './placing.ts';
import type { Question } from './questions.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
const REST_MS = 10 * 60_000;
const TOKEN_MS = 300_000;
const OF_SECOND = ['owner_approved', 'second_requested'] as const;

/** Why each proposal ended as it did. @returns how many had to be carried out at once */
export function checkEnds(evidence: Evidence, must: Must): number {
  for (const row of evidence.rows) {
    explained(evidence, row, must);
    phoneAgrees(evidence, row, must);
  }
  checkQuotas(evidence, must);
  return evidence.rows.filter((row) => carriedOutAtOnce(evidence, row, must)).length;
}

function explained({ world, audit, questionsOf }: Evidence, row: StoredProposal, must: Must): void {
  const { id, sub, state } = row;
  const questions = questionsOf(row);
  if (state === 'denied') {
    must(
      questions.some(({ decision }) => decision === 'deny'),
      `${id} is denied, and nobody denied it`,
    );
  }
  if (state === 'cancelled') {
    const withdrawn = world.told.some((told) => told.what === 'withdrawn' && told.id === id);
    const halted = audit.some((line) => line.event === 'halted' && line.sub === sub);
    must(withdrawn || halted, `${id} is cancelled, and nobody took it back`);
  }
  if (state === 'blocked' && row.kind === 'order' && !brokerRefused(world, row) && !isOverMandate(row)) {
    const spoilt = world.provider.questions.all.some(({ spoilt }) => spoilt.length > 0);
    must(
      spoilt || isHindered(world, 0, Number.POSITIVE_INFINITY),
      `${id} is blocked (${JSON.stringify(row.reason)}), and nothing had gone wrong`,
    );
  }
}

/** What the phone was told happened, and the last of it is how it ended. */
function phoneAgrees({ world, questionsOf, linesOf }: Evidence, row: StoredProposal, must: Must): void {
  const events = new Set(linesOf(row).map(({ event }) => event));
  // Whoever said yes is told that nothing came of it where the second person said no.
  const isOwners = ({ id }: Question) => row.state === 'denied' && id === row.ownerAuthReqId && id !== row.authReqId;
  for (const question of questionsOf(row)) {
    for (const { state } of question.told) {
      must(
        events.has(state) || (state === 'blocked' && (events.has('cancelled') || isOwners(question))),
        `the phone was told that ${row.id} is ${state}, and it never was`,
      );
    }
    const counts = question.id === row.authReqId || question.id === row.ownerAuthReqId;
    if (!counts || row.state === 'denied') continue;
    const { decision, withdrawnAt, told } = question;
    // Told as well as it goes: where neither the gateway nor its way to the provider was disturbed, it was told.
    const from = Date.parse(linesOf(row).at(0)?.at ?? '');
    if (isHindered(world, from - 60_000, Number.POSITIVE_INFINITY)) continue;
    if (row.state !== 'executed') {
      const gone = withdrawnAt !== undefined || decision !== undefined || world.clock.now() >= question.expiresAt;
      must(gone, `${row.id} is ${row.state}, and the phone could still approve it`);
    }
    const last = told.at(-1)?.state;
    // A withdrawal after the tap is told as "nothing comes of it": the question is past taking back.
    const isLate = row.state === 'cancelled' && last === 'blocked';
    must(last === row.state || isLate, `${row.id} is ${row.state}, and the last the phone was told is ${last}`);
  }
}

/** With less than five seconds left the second person is not asked any more: they could not answer. */
const LEFT_TO_ASK_MS = 5_000;

/** Approved in time, and nothing in the way: executed, and before long. */
function carriedOutAtOnce({ world, book, questionsOf, linesOf }: Evidence, row: StoredProposal, must: Must): boolean {
  const question = questionsOf(row).at(-1);
  const { decision, decidedAt } = question ?? {};
  if (question === undefined || decision !== 'approve' || decidedAt === undefined) return false;
  const until = decidedAt + world.options.interval * 1000 + 2_000;
  const isClear =
    row.kind === 'order' &&
    !brokerRefused(world, row) &&
    until < Math.min(question.expiresAt, row.deadline) &&
    (isLastToAnswer(row, question) || until + LEFT_TO_ASK_MS < row.deadline) &&
    question.spoilt.length === 0 &&
    // The owner's token opens their account, and has run out where the second person took long.
    questionsOf(row).every((one) => one.decision !== 'approve' || until < (one.decidedAt ?? 0) + TOKEN_MS) &&
    !sharesToken(world, question) &&
    !linesOf(row).some(({ event }) => event === 'cancelled') &&
    !isHindered(world, question.askedAt - 1_000, until);
  if (!isClear) return false;
  must(
    row.state === 'executed',
    `${row.id} was approved in time with nothing in the way, and is ${row.state} (${JSON.stringify(row.reason)})`,
  );
  const order = book.find(({ client_order_id }) => client_order_id === row.subjectId);
  const took = Date.parse(order?.submitted_at ?? '') - decidedAt;
  must(row.state !== 'executed' || took <= until - decidedAt, `${row.id} was carried out ${took} ms after the tap`);
  return true;
}

/** Whether nobody is to be asked after this question: a second person is asked once the owner said yes. */
function isLastToAnswer({ second }: StoredProposal, { sub }: Question): boolean {
  return second === undefined || sub === second;
}

/** The broker has rules of its own (no order against an open one of one's own, say), and says so. */
function brokerRefused({ network }: World, { subjectId, reason }: StoredProposal): boolean {
  const refused = network.sent.some(
    ({ note, status = 0 }) => note.clientOrderId === subjectId && status >= 400 && status < 500,
  );
  return refused && reason?.code === 'broker_rejected';
}

function sharesToken(world: World, { id, jti }: Question): boolean {
  return world.provider.questions.all.some((other) => other.id !== id && other.jti === jti);
}

/** Whether anything obstructed the gateway in this period. A clock that was once wrong always counts. */
export function isHindered({ hindrances, network }: World, from: number, to: number): boolean {
  const isThen = ({ at, until }: { readonly at: number; readonly until: number }) => at <= to && until >= from;
  return (
    hindrances.some((one) => one.what === 'skew' || isThen(one)) ||
    network.disturbances.some((one) => one.leg !== 'agent-gateway' && isThen(one))
  );
}

/** Nobody had more open at once, or asked for more within the hour, than they may; two denials in a row were a rest. */
function checkQuotas({ world, rows, audit }: Evidence, must: Must): void {
  const isTimeSound = !world.hindrances.some(({ what }) => what === 'skew');
  const quotas = quotasOf(world.options);
  const askers = new Map(rows.map((row) => [row.id, `${row.sub} ${row.client} ${row.typed}`]));
  const open = new Map<string, Set<string>>();
  const lately = new Map<string, number[]>();
  const decided = new Map<string, { state: string; at: number }[]>();
  for (const { event, proposal: id = '', at } of audit) {
    const row = rows.find((one) => one.id === id);
    const asker = askers.get(id);
    if (row === undefined || asker === undefined) continue;
    const quota = row.client === 'trade-agent' ? quotas.own : quotas.other;
    const time = Date.parse(at);
    const mine = open.get(asker) ?? new Set();
    if (
      openStates.includes(event as ProposalState) ||
      ['proposed', 'asked_again', 'not_taken', 'approved_by_mandate', ...OF_SECOND].includes(event)
    )
      mine.add(id);
    else mine.delete(id);
    open.set(asker, mine);
    must(mine.size <= quota.open, `${asker} had ${mine.size} open at once`);
    const client = `${row.sub} ${row.client}`;
    const decisions = decided.get(client) ?? [];
    if (event === 'proposed') {
      const times = [...(lately.get(asker) ?? []), time];
      lately.set(asker, times);
      const count = times.filter((one) => one > time - HOUR_MS).length;
      must(!isTimeSound || count <= quota.hour, `${asker} asked ${count} times within the hour`);
      const [before, last] = decisions.slice(-2);
      const rests = last?.state === 'denied' && before?.state === 'denied' && time < last.at + REST_MS;
      must(!(rests && isTimeSound && !row.typed), `${asker} asked again after two denials in a row`);
    } else if (!['requested', 'asked_again', ...OF_SECOND].includes(event)) {
      decided.set(client, [...decisions, { state: event, at: time }]);
    }
  }
}
