import canonicalize from 'canonicalize';
import { deriveSubjectId } from '../../src/approval/kernel/propose.ts';
import type { BookedOrder } from '../../src/sandbox/paper-broker/books/order-json.ts';
import type { StoredProposal } from '../../src/store/proposal-store.ts';
import { Dec } from '../../src/trading/decimal.ts';
import type { MandateSubject } from '../../src/trading/kinds/mandate.ts';
import { newYorkDate, ONE_DAY_MS } from '../../src/trading/new-york-time.ts';
import type { OrderDraft } from '../../src/trading/order.ts';
import { isFinalStatus } from '../../src/trading/views.ts';
import { isHindered } from './ends-oracle.ts';
import type { KeptMandate, Reservation } from './kept-use.ts';
import { adoptedAt, type Evidence, type Must } from './oracle.ts';
import { DISPATCH_WINDOW_MS } from './wire-oracle.ts';

const AT_ONCE_MS = 2_000;
/** To a midnight after the trading day, with a weekend and a holiday in between. */
const LONGEST_HELD_DAYS = 6;

interface Ordered {
  readonly order: BookedOrder;
  readonly row: StoredProposal;
  readonly draft: OrderDraft;
  readonly claimedAt: number;
  /** Dollars that it comes to at worst: of one that is over, the part that was filled. */
  readonly worst: Dec;
  /** When it turned out to be in the book though it had been written off; the gateway's time. */
  readonly adoptedAt: number | undefined;
}

/** Orders nobody was asked about lie within a mandate its owner signed, by the phone's log and the book. */
export function checkMandates(evidence: Evidence, must: Must): void {
  const { world, rows, placing } = evidence;
  if (world.options.mandates === undefined) return;
  const { mandates } = world.kept();
  for (const mandate of mandates) {
    signed(evidence, mandate, must);
    const ordered = orderedUnder(evidence, mandate);
    for (const one of ordered) ofItsTerms(evidence, mandate, one, must);
    within(evidence, mandate, ordered, must);
    inSlots(evidence, mandate, ordered, must);
    usedFor(evidence, mandate, ordered, must);
  }
  for (const { draft, row } of placing.values()) {
    const { mandate: id } = draft;
    if (id === undefined) continue;
    const own = mandates.some((mandate) => mandate.id === id && mandate.sub === row.sub);
    must(own, `${row.id} goes by ${id}, which is no mandate of its owner's`);
  }
  for (const row of rows) {
    approvedBeforehand(evidence, row, must);
    atOnce(evidence, row, must);
  }
  counted(evidence, must);
  takenBack(evidence, must);
}

function orderedUnder({ book, placing, world, linesOf }: Evidence, { id }: KeptMandate): Ordered[] {
  const { reservations } = world.kept();
  return book.flatMap((order) => {
    const placed = placing.get(order.client_order_id);
    if (placed === undefined || placed.draft.mandate !== id) return [];
    const { row, draft } = placed;
    const claimed = reservations.find((one) => one.client_order_id === order.client_order_id);
    const claimedAt = claimed?.created_at ?? Date.parse(order.submitted_at);
    return [{ order, row, draft, claimedAt, worst: worstOf(order, draft), adoptedAt: adoptedAt(linesOf(row)) }];
  });
}

/** Of a purchase what it may cost, of a sale what it is worth by its own price or the market's, whichever is more. */
function worstOf(order: BookedOrder, { reference_price }: OrderDraft): Dec {
  const price = order.side === 'buy' ? order.limit_price : Dec.max(order.limit_price ?? 0, reference_price).toFixed();
  const whole =
    order.qty === null ? new Dec(order.notional ?? 0) : new Dec(order.qty).times(price ?? Number.POSITIVE_INFINITY);
  if (!isFinalStatus(order.status as Parameters<typeof isFinalStatus>[0]) || order.status === 'filled')
    return whole.toDecimalPlaces(2, Dec.ROUND_UP);
  const part = order.qty === null ? new Dec(0) : new Dec(order.filled_qty).div(order.qty);
  return whole.times(part).toDecimalPlaces(2, Dec.ROUND_UP);
}

function signed({ rows, questionsOf }: Evidence, { id, sub, terms }: KeptMandate, must: Must): void {
  const row = rows.find(({ kind, subjectId }) => kind === 'mandate' && subjectId === id);
  must(row !== undefined && row.sub === sub, `${id} is a mandate that nobody asked for`);
  if (row === undefined) return;
  const { approve_by: _, ...shown } = row.subject as MandateSubject;
  must(canonicalize(shown) === canonicalize(terms), `${id} says something else than was shown`);
  const yes = questionsOf(row).some(
    ({ decision, details, sub: asked }) => decision === 'approve' && asked === sub && details?.digest === row.digest,
  );
  must(yes, `${id} is a mandate that its owner never approved`);
}

function ofItsTerms(
  { world }: Evidence,
  { id, terms }: KeptMandate,
  { order, row, draft, worst }: Ordered,
  must: Must,
): void {
  const what = `${order.client_order_id} under ${id}`;
  must(terms.symbols.includes(order.symbol), `${what} is for ${order.symbol}`);
  must((terms.sides as readonly string[]).includes(order.side), `${what} is to ${order.side}`);
  must((terms.order_types as readonly string[]).includes(draft.type), `${what} is a ${draft.type} order`);
  must(
    (terms.times_in_force as readonly string[]).includes(order.time_in_force),
    `${what} is in force ${order.time_in_force}`,
  );
  must(
    worst.lte(terms.max_order_notional),
    `${what} can come to ${worst}, and an order may to ${terms.max_order_notional}`,
  );
  const highest = terms.price?.[order.symbol]?.max;
  must(
    highest === undefined || (order.limit_price !== null && new Dec(order.limit_price).lte(highest)),
    `${what} may cost ${order.limit_price} a share, and the band ends at ${highest}`,
  );
  const asked = world.told.some(
    (told) =>
      told.what === 'asked' &&
      world.programs[told.who.machine]?.jkt === terms.agent_jkt &&
      deriveSubjectId(told.who.sub, told.who.clientId, told.key) === row.subjectId,
  );
  must(asked, `${what} was asked for by another program than the mandate's`);
  const late = sendsOf(world, order.client_order_id).some(({ senderAt }) => senderAt >= Date.parse(terms.expires_at));
  must(!late, `${what} was sent after the mandate had ended`);
}

/** In total, per day and per slot. A written-off order found later may exceed them; it suspends the mandate. */
function within({ world }: Evidence, mandate: KeptMandate, ordered: readonly Ordered[], must: Must): void {
  const { id, state } = mandate;
  const broken = boundsBroken(mandate, ordered);
  if (broken.length === 0) return;
  const overAt = ordered
    .flatMap((one) => one.adoptedAt ?? [])
    .toSorted((a, b) => a - b)
    .find((at) => {
      const known = ordered.filter((one) => one.claimedAt <= at && (one.adoptedAt ?? 0) <= at);
      return boundsBroken(mandate, known).length > 0;
    });
  const byItself = boundsBroken(
    mandate,
    ordered.filter((one) => one.adoptedAt === undefined),
  );
  for (const why of overAt === undefined ? broken : byItself) must(false, why);
  if (overAt === undefined) return;
  must(
    ['suspended', 'revoked', 'replaced'].includes(state),
    `${id} is ${state} after a late order: ${broken.join('; ')}`,
  );
  const isTimeSound = !world.hindrances.some(({ what }) => what === 'skew');
  const later = ordered.filter(({ claimedAt }) => claimedAt > overAt);
  must(!isTimeSound || later.length === 0, `${later.length} orders went by ${id} after a late one exceeded it`);
}

function boundsBroken({ id, terms }: KeptMandate, ordered: readonly Ordered[]): string[] {
  const broken: string[] = [];
  const must: Must = (holds, otherwise) => {
    if (!holds) broken.push(otherwise);
  };
  const sum = (of: readonly Ordered[]) => Dec.sum(0, ...of.map(({ worst }) => worst));
  const total = sum(ordered);
  must(total.lte(terms.max_total_notional), `${id} was used for ${total}, and is for ${terms.max_total_notional}`);
  must(ordered.length <= terms.max_orders, `${id} was used ${ordered.length} times, and is for ${terms.max_orders}`);
  const { max_day_notional: most, cadence, orders_per_slot: room = 1 } = terms;
  if (most !== undefined) {
    for (const [day, ofDay] of Map.groupBy(ordered, ({ claimedAt }) => newYorkDate(claimedAt)))
      must(sum(ofDay).lte(most), `${id} was used for ${sum(ofDay)} on ${day}, and is for ${most} a day`);
  }
  if (cadence === 'on_demand') return broken;
  const places = Map.groupBy(ordered, ({ order, draft }) => `${draft.slot} ${order.side} ${order.symbol}`);
  for (const [place, taken] of places)
    must(taken.length <= room, `${taken.length} orders under ${id} for ${place}, which has room for ${room}`);
  return broken;
}

/** What the gateway says of it once nothing is held any more. */
function usedFor({ world }: Evidence, { id }: KeptMandate, ordered: readonly Ordered[], must: Must): void {
  const told = world.told.findLast((one) => one.what === 'used' && one.mandate === id);
  if (told?.what !== 'used') return;
  must(told.orders === ordered.length, `${id} counts ${told.orders} orders, and ${ordered.length} are in the book`);
}

/** Each in the slot of the moment it was claimed. */
function inSlots({ world }: Evidence, { id, terms }: KeptMandate, ordered: readonly Ordered[], must: Must): void {
  const { cadence } = terms;
  if (cadence === 'on_demand') {
    must(
      ordered.every(({ draft }) => draft.slot === undefined),
      `${id} has no slots, and one of them is used`,
    );
    return;
  }
  const isTimeSound = !world.hindrances.some(({ what }) => what === 'skew');
  for (const { order, draft, claimedAt } of ordered) {
    const slot = draft.slot ?? '';
    // A day's date is in its month's, and a week is told by its Monday.
    const holds = cadence === 'daily' ? slot === newYorkDate(claimedAt) : /^\d{4}-W\d{2}$/.test(slot);
    must(holds || !isTimeSound, `${order.client_order_id} used ${slot} of ${id} on ${newYorkDate(claimedAt)}`);
  }
}

/** Nobody is asked about what a mandate approves, and whoever said "never ask" is not asked. */
function approvedBeforehand({ world, linesOf, questionsOf }: Evidence, row: StoredProposal, must: Must): void {
  const isUnder = row.kind === 'order' && (row.subject as OrderDraft).mandate !== undefined;
  const never = world.told.some(
    (told) =>
      told.what === 'proposed' && told.id === row.id && told.body.includes('"approval":"mandate"') && told.status < 300,
  );
  must(!never || isUnder, `${row.id} was never to be asked about, and goes by no mandate`);
  if (!isUnder) return;
  must(questionsOf(row).length === 0, `${row.id} goes by a mandate, and its owner was asked`);
  const lines = linesOf(row).map(({ event }) => event);
  const approvals = lines.filter((event) => event === 'approved_by_mandate').length;
  must(approvals <= 1, `${row.id} was approved by a mandate ${approvals} times`);
  must(!lines.includes('executing') || approvals === 1, `${row.id} was begun, and the record has no yes to it`);
}

/** Nobody is waited for: with nothing in the way it is placed, or refused, in the moment that it is proposed. */
function atOnce({ world, book, linesOf }: Evidence, row: StoredProposal, must: Must): void {
  if (row.kind !== 'order' || (row.subject as OrderDraft).mandate === undefined) return;
  const proposedAt = Date.parse(linesOf(row)[0]?.at ?? '');
  if (isHindered(world, proposedAt - 1_000, proposedAt + AT_ONCE_MS)) return;
  must(row.state !== 'expired', `${row.id} goes by a mandate, and expired with nothing in the way`);
  const order = book.find(({ client_order_id: id }) => id === row.subjectId);
  if (order === undefined) return;
  const took = Date.parse(order.submitted_at) - proposedAt;
  must(took <= AT_ONCE_MS, `${row.id} goes by a mandate, and was carried out after ${took} ms`);
}

/** What counts is what is in the book, once each; and each order under a mandate has its one place. */
function counted({ world, book, placing }: Evidence, must: Must): void {
  const { reservations, uses } = world.kept();
  for (const { client_order_id: id, symbol, side } of book) {
    const own = reservations.filter((one) => one.client_order_id === id);
    must(
      own.length === 1 && own[0]?.state === 'placed',
      `${id} is in the book, and counts as ${own.map(({ state }) => state)}`,
    );
    const mandate = placing.get(id)?.draft.mandate;
    if (mandate === undefined) continue;
    must(own[0]?.mandate === mandate, `${id} counts under ${own[0]?.mandate}, and went by ${mandate}`);
    const places = uses.filter((use) => use.client_order_id === id);
    const isIts = places[0]?.mandate === mandate && places[0].symbol === symbol && places[0].side === side;
    must(places.length === 1 && isIts, `${id} has ${places.length} places under ${mandate}`);
  }
  const booked = new Set(book.map(({ client_order_id: id }) => id));
  const elsewhere = reservations.filter((one) => !booked.has(one.client_order_id));
  for (const one of elsewhere) {
    const { client_order_id: id, state } = one;
    must(isGivenBack(world, one), `${id} counts (${state}), and is not in the book`);
    // From then on, and not from when it was asked for: its gateway may have been away for days.
    const days = ((one.reserved_until ?? 0) - (one.written_off_at ?? 0)) / ONE_DAY_MS;
    must(days <= LONGEST_HELD_DAYS, `${id} was to count for ${days} days after it was written off`);
  }
  for (const { client_order_id: id, mandate, slot } of uses) {
    const own = elsewhere.find((one) => one.client_order_id === id);
    const isFree = booked.has(id) || (own !== undefined && isGivenBack(world, own));
    must(isFree, `${id} keeps a place (${slot}) under ${mandate}, and is not in the book`);
  }
}

/** One that was written off counts to the end of its trading day, and not from then on. */
function isGivenBack({ clock }: Evidence['world'], { state, reserved_until: until }: Reservation): boolean {
  return state === 'written_off' && until !== null && until <= clock.now();
}

/** Once a revocation is acknowledged nothing is sent under it, except what was checked at the same moment. */
function takenBack({ world, placing }: Evidence, must: Must): void {
  const { options, network, told } = world;
  const { mandates } = world.kept();
  for (const end of told) {
    if (end.what !== 'ended') continue;
    const state = mandates.find(({ id }) => id === end.mandate)?.state ?? 'none';
    const stays = end.to === 'revoked' ? ['revoked'] : ['suspended', 'revoked', 'replaced'];
    must(stays.includes(state), `${end.mandate} was told to be ${end.to}, and is ${state}`);
    for (const { note, decided, at } of network.sent) {
      const draft = placing.get(String(note.clientOrderId))?.draft;
      if (draft?.mandate !== end.mandate) continue;
      const isLater = options.distant ? decided.at > end.at : decided.count > end.ended;
      must(!isLater, `${note.clientOrderId} was sent under ${end.mandate}, which was ${end.to} by then`);
      const isSoon = at <= end.at + DISPATCH_WINDOW_MS;
      must(isSoon, `${note.clientOrderId} left long after ${end.mandate} was ${end.to}`);
    }
  }
}

function sendsOf(world: Evidence['world'], id: string) {
  return world.network.sent.filter(({ leg, note }) => leg === 'gateway-broker' && note.clientOrderId === id);
}
