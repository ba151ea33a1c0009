import type { ProposalState } from '../../src/trading/proposal.ts';
import { isWithinApproval } from '../fixtures/within-approval.ts';
import type { CrashCase, PlannedOrder } from './crash-case.ts';
import type { GatewayProposal } from './gateway-book.ts';
import type { Played, Question } from './play-case.ts';

/** What is wrong with how a case ended, judged by the broker's book; empty where nothing is. */
export function verdict(plan: CrashCase, played: Played): string[] {
  const { booked, proposals, alone, kills, auditFault } = played;
  const mustDie = plan.deaths.filter(({ by, maySurvive }) => by === 'kill' && !maySurvive);
  return [
    ...(kills < mustDie.length ? ['not everybody died'] : []),
    ...bookFaults(played),
    ...plan.orders.flatMap((order) => orderFaults(order, plan, played)),
    ...proposals.flatMap((proposal) => [
      ...threadFaults(proposal, played),
      ...phoneFaults(proposal, played),
      ...auditFaults(proposal, played),
    ]),
    ...alone.proposals.flatMap((proposal) =>
      phoneFaults(proposal, alone).map((fault) => `with nobody there: ${fault}`),
    ),
    ...(auditFault === undefined ? [] : [auditFault]),
    ...(booked.every(({ symbol }) => plan.orders.some((order) => order.symbol === symbol))
      ? []
      : ['an order nobody asked for']),
  ];
}

/** Each order in the book was approved, with these very values. */
function bookFaults({ booked, taps }: Played): string[] {
  return booked.flatMap((order) => {
    const approved = taps.find(
      ({ decision, clientOrderId }) => decision === 'approve' && clientOrderId === order.client_order_id,
    );
    if (approved === undefined) {
      return [`${order.symbol} is in the book under ${order.client_order_id}, which nobody approved`];
    }
    const { subject } = approved;
    const fields = (['symbol', 'side', 'qty'] as const)
      .filter((field) => field !== 'qty' || subject.notional === undefined)
      .filter((field) => !isSame(order[field], subject[field]))
      .map((field) => `${order.symbol}: ${field} is ${order[field]} in the book, ${subject[field]} was approved`);
    const isWithin = isWithinApproval({ ...subject, order_type: subject.type }, order);
    return isWithin
      ? fields
      : [...fields, `${order.symbol} is a ${order.type} order at ${order.limit_price} in the book`];
  });
}

/** What each of the person's ways may come to, once they were asked. */
const mayBecome: Readonly<Record<PlannedOrder['person'], readonly ProposalState[]>> = {
  approve: ['executed'],
  deny: ['denied'],
  // Asked once more they say no.
  wavers: ['executed', 'denied'],
  withdraw: ['cancelled'],
  both: ['executed', 'cancelled'],
};

/** One order of the prompt has one order in the book where it was approved, and none otherwise. */
function orderFaults({ symbol, person }: PlannedOrder, plan: CrashCase, played: Played): string[] {
  const { booked, proposals, questions, isLate } = played;
  const inBook = booked.filter((order) => order.symbol === symbol);
  const own = proposals.filter((proposal) => proposal.symbol === symbol);
  const executed = own.filter(({ state }) => state === 'executed');
  const states = own.map(({ state }) => state).join(', ') || 'never proposed';
  const wrong: string[] = [];
  if (inBook.length > 1) wrong.push(`${inBook.length} orders for ${symbol}`);
  if (executed.length !== inBook.length) {
    wrong.push(`${symbol}: the gateway says ${states}, the book has ${inBook.length}`);
  }
  if (executed.some(({ clientOrderId }) => clientOrderId !== inBook[0]?.client_order_id)) {
    wrong.push(`${symbol}: the gateway names another order than the book`);
  }
  const asked = questions.some(({ subject }) => subject.symbol === symbol);
  if (!asked && mustAsk(plan) && !isLate) wrong.push(`nobody was asked about ${symbol}: ${states}`);
  if (asked && !own.some(({ state }) => mayBecome[person].includes(state))) {
    wrong.push(`${symbol}: ${person}, and it is ${states}`);
  }
  if (own.length > 1) wrong.push(`${own.length} proposals for ${symbol}: ${states}`);
  return wrong;
}

/** The thread says what the gateway says. */
function threadFaults({ id, symbol, state, code }: GatewayProposal, { answer }: Played): string[] {
  const told = answer.approvals.filter((approval) => approval.id === id);
  if (told.length !== 1) return [`${symbol}: the thread tells of it ${told.length} times`];
  if (told[0]?.code !== code) return [`${symbol}: the thread has the code ${told[0]?.code}, it is ${code}`];
  return told[0]?.status === state ? [] : [`${symbol}: the thread says ${told[0]?.status}, the gateway ${state}`];
}

/** The phone says what the gateway says, and of nothing that it is still on its way. */
function phoneFaults(
  { id, symbol, state, code, type }: GatewayProposal,
  { questions }: Pick<Played, 'questions'>,
): string[] {
  const own = questions.filter(({ proposal }) => proposal === id);
  const wrong = own.flatMap(({ status, outcome }) => {
    if (status === 'pending') return [`${symbol} stays on the phone`];
    const isOpen = status === 'approved' && (outcome === null || isUnderWay(outcome.state));
    return isOpen ? [`${symbol}: the phone says ${status}, ${outcome?.state ?? 'and never what came of it'}`] : [];
  });
  if (own.some(({ shownCode }) => shownCode !== code)) wrong.push(`${symbol}: another code on the phone`);
  const last = own.at(-1);
  if (last !== undefined && !agrees(state, last)) {
    wrong.push(`${symbol}: the gateway says ${state}, the phone ${last.status} ${last.outcome?.state ?? ''}`);
  }
  if (state === 'executed' && type === 'market' && last?.outcome?.text.startsWith('filled') !== true) {
    wrong.push(`${symbol}: the phone shows no fill: ${last?.outcome?.text}`);
  }
  return wrong;
}

function agrees(state: ProposalState, { status, outcome }: Question): boolean {
  if (state === 'denied') return status === 'denied';
  // Taken back after the tap: its phone is told that it was stopped.
  const told = state === 'cancelled' ? ['cancelled', 'blocked'] : [state];
  if (status === 'approved') return told.includes(outcome?.state ?? '');
  // Taken back while a no was on its way: either way there is no order.
  if (state === 'cancelled') return status === 'withdrawn' || status === 'denied';
  return state !== 'executed';
}

const isUnderWay = (state: string) => state === 'executing' || state === 'unknown';

/** No death loses a line of the audit file, or writes one twice. */
function auditFaults({ id, symbol, state }: GatewayProposal, { audit }: Played): string[] {
  const events = audit.filter(({ proposal }) => proposal === id).map(({ event }) => event);
  const must = ['proposed', ...(state === 'executed' ? ['requested', 'approved', 'executing'] : []), state];
  // A later fill is told of as `executed` too.
  const once = ['proposed', ...(state === 'executed' ? [] : [state])];
  return [
    ...must.filter((event) => !events.includes(event)).map((event) => `lacks "${event}"`),
    ...once.filter((event) => events.filter((one) => one === event).length > 1).map((event) => `says "${event}" twice`),
  ].map((fault) => `${symbol}: the audit file ${fault}: ${events.join(', ')}`);
}

/** What the prompt said survives every death, but for one before it was stored at all. */
function mustAsk({ deaths }: CrashCase): boolean {
  return deaths.every(({ by, failpoint }) => by === 'kill' && failpoint !== 'checkpoint.before=kill@1');
}

/** The broker writes an amount in its own way: 5 for 5.00. */
function isSame(booked: string | null, approved: unknown): boolean {
  if (booked === null || approved === undefined) return booked === null && approved === undefined;
  return booked === approved || Number(booked) === Number(approved);
}
