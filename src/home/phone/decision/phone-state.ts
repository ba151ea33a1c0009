import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { Markup } from '../page/page.ts';
import type { DecisionServices } from './approval-steps.ts';
import { type CardState, requestCard, requestItem } from './request-card.ts';
import { recentItem, resultPanel } from './result-panel.ts';

/** Requests on a page at most; the next ones come as these are decided. */
const MOST_CARDS = 50;
/** Decisions below the card; the others are in the history. */
const RECENT = 5;

export interface Viewer {
  readonly user: string;
  readonly session: string;
  /** Whether a passkey has opened it. */
  readonly canApprove: boolean;
  readonly formToken: string;
}

export type PhoneState = Awaited<ReturnType<typeof phoneState>>;

/** All that the page shows of a person's requests, read at one moment. */
export async function phoneState(services: DecisionServices, viewer: Viewer) {
  const { requests, steps } = services;
  const { user, session, canApprove, formToken } = viewer;
  const waiting = requests.pending(user, MOST_CARDS);
  const hasKey = (await services.keys.list(user)).length > 0;
  const cardState = (request: ApprovalRequest): CardState => ({
    formToken,
    codes: steps.codes(request, session),
    confirm: steps.wantsConfirmation(request, user),
    cannot: hasKey ? (canApprove ? undefined : 'signed_in_otherwise') : 'no_key',
  });
  return {
    waiting,
    more: requests.countPending(user) - waiting.length,
    recent: requests.recent(user, RECENT),
    card: (request: ApprovalRequest) => requestCard(request, cardState(request)),
    result: (request: ApprovalRequest) => resultPanel(request, steps.whyDenied(request)),
    recentItem: (request: ApprovalRequest) => recentItem(request, steps.whyDenied(request)),
  };
}

/** The update for the page's script. @param sent the cards that this stream has sent, by request; updated */
export async function phoneUpdate(state: PhoneState, sent: Map<string, string>) {
  const byId = (all: readonly ApprovalRequest[], render: (request: ApprovalRequest) => Markup) =>
    Promise.all(all.map(async (request) => ({ id: request.id, html: String(await render(request)) })));
  const cards = await byId(state.waiting, state.card);
  const fresh = cards.filter(({ id, html }) => sent.get(id) !== html);
  sent.clear();
  for (const { id, html } of cards) sent.set(id, html);
  return {
    waiting: await byId(state.waiting, requestItem),
    cards: fresh,
    more: state.more,
    results: await byId(state.recent, state.result),
    recent: await byId(state.recent, state.recentItem),
  };
}
