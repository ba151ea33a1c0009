import { randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { drawCode, drawFreeCode } from '../../../approval/kernel/propose.ts';
import type { Keys } from '../../../approval/keys/keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { Decide } from '../../identity-provider/deliver-decision.ts';
import { lastFour, requestView } from './request-view.ts';

/** How long a sign-in is fresh enough for real money. */
const FRESH_MS = 10 * 60 * 1000;

export interface Approver {
  readonly user: string;
  readonly session: string;
  /** When they proved to this browser who they are; milliseconds since the epoch. */
  readonly signedInAt: number;
}

/** What must still be done before an approval counts. */
export interface Hindrance {
  readonly code: 'no_code' | 'wrong_code' | 'wrong_code_too_often' | 'sign_in' | 'not_confirmed';
  readonly title: string;
  readonly text: string;
}

/**
 * What a person does before they approve, beside signing it: picking the terminal's code, and for real money a fresh
 * sign-in and, once, a typed word. Kept here, so that no page can leave it out.
 */
type ApprovalSteps = ReturnType<typeof createApprovalSteps>;

export interface DecisionServices {
  readonly keys: Keys;
  readonly requests: ApprovalRequests;
  readonly steps: ApprovalSteps;
  readonly signatures: 'required' | 'off';
  readonly decide: Decide;
}

const hindrances = {
  no_code: { title: 'Pick the code', text: 'Pick the code that your terminal shows, then approve.' },
  wrong_code: {
    title: 'Not that code',
    text: 'Your terminal shows another one. Look again: the next wrong pick denies it.',
  },
  wrong_code_too_often: {
    title: 'Denied',
    text: 'The wrong code was picked twice. If you did ask for it, ask again.',
  },
  sign_in: {
    title: 'Sign in again',
    text: 'This is real money, and you signed in more than ten minutes ago.',
  },
  not_confirmed: {
    title: 'Not confirmed',
    text: 'This is real money. Type LIVE, or the last four of the account, then approve.',
  },
} as const;

export function createApprovalSteps(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly numberMatching: NumberMatching;
}) {
  const { database, clock, numberMatching } = options;
  const choices = createCodeChoices(database, clock);
  const confirmations = createLiveConfirmations(database, clock);
  const matches = (request: ApprovalRequest) => isCodePicked(request, numberMatching);
  const hindered = (code: Hindrance['code']): Hindrance => ({ code, ...hindrances[code] });

  const check = (
    request: ApprovalRequest,
    { user, session, signedInAt }: Approver,
  ): Hindrance | undefined => {
    const view = requestView(request);
    if (matches(request)) {
      if (choices.isSpent(request.id)) return hindered('wrong_code_too_often');
      if (!choices.isPicked(request.id, session)) return hindered('no_code');
    }
    if (!view.live) return undefined;
    if (clock.now() - signedInAt > FRESH_MS) return hindered('sign_in');
    return confirmations.has(user, view.account ?? '') ? undefined : hindered('not_confirmed');
  };

  return {
    /** The codes to pick from; undefined where no code is to be picked. */
    codes: (request: ApprovalRequest, session: string): readonly string[] | undefined =>
      matches(request) ? choices.of(request, session) : undefined,
    wantsConfirmation(request: ApprovalRequest, user: string): boolean {
      const { live, account = '' } = requestView(request);
      return live && !confirmations.has(user, account);
    },
    take(
      request: ApprovalRequest,
      approver: Approver,
      { match, confirm = '' }: { readonly match: string | undefined; readonly confirm: string | undefined },
    ): Hindrance | undefined {
      const view = requestView(request);
      if (matches(request)) {
        if (match === undefined || match === '') return hindered('no_code');
        const pick = choices.pick(request, approver.session, match);
        if (pick !== 'right') return hindered(pick);
      }
      const typed = confirm.trim().toUpperCase();
      const right = ['LIVE', lastFour(view.account)?.toUpperCase()];
      if (view.live && typed !== '' && right.includes(typed)) {
        confirmations.keep(approver.user, view.account ?? '');
      }
      return check(request, approver);
    },
    check,
    /** Why it was denied, where that was no tap on Deny. */
    whyDenied: ({ id, status }: ApprovalRequest): string | undefined =>
      status === 'denied' && choices.isSpent(id) ? hindrances.wrong_code_too_often.text : undefined,
  };
}

/** Who has confirmed, once for an account, that its money is real. */
function createLiveConfirmations(database: Database, clock: Clock) {
  const find = database.prepare<[string, string]>(
    'SELECT 1 FROM live_confirmations WHERE user = ? AND account = ?',
  );
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO live_confirmations VALUES (?, ?, ?)',
  );
  return {
    has: (user: string, account: string): boolean => find.get(user, account) !== undefined,
    keep: (user: string, account: string) => void insert.run(user, account, clock.now()),
  };
}

/** When the terminal's code is picked among three rather than shown. */
export type NumberMatching = 'live' | 'always' | 'off';

/** Whether this request's code is picked. Then nothing else may tell it: not the card, and no lock screen. */
export function isCodePicked(request: Pick<ApprovalRequest, 'details'>, matching: NumberMatching): boolean {
  return matching === 'always' || (matching === 'live' && requestView(request).live);
}

const CHOICES = 3;
/** The second wrong pick denies: whoever guesses is right once in three. */
const MOST_WRONG = 2;
/** Longer than any request lives. */
const KEPT_MS = 2 * 24 * 3600 * 1000;

type Matched = Pick<ApprovalRequest, 'id' | 'code'>;

/**
 * Number matching: the person picks the terminal's code among three, which no tired thumb does by itself. The others
 * are drawn here, once for a request and session, so that a reload doesn't tell which one stays.
 */
function createCodeChoices(database: Database, clock: Clock) {
  database.prepare<[number]>('DELETE FROM code_choices WHERE drawn_at < ?').run(clock.now() - KEPT_MS);
  const find = database.prepare<[string, string], { codes: string; picked: 0 | 1 }>(
    'SELECT codes, picked FROM code_choices WHERE request = ? AND session = ?',
  );
  const insert = database.prepare<[string, string, string, number]>(
    'INSERT OR IGNORE INTO code_choices (request, session, codes, drawn_at) VALUES (?, ?, ?, ?)',
  );
  const right = database.prepare<[string, string]>(
    'UPDATE code_choices SET picked = 1 WHERE request = ? AND session = ?',
  );
  const wrong = database.prepare<[string], { count: number }>(
    `INSERT INTO wrong_codes VALUES (?, 1)
     ON CONFLICT (request) DO UPDATE SET count = count + 1 RETURNING count`,
  );
  const wrongs = database.prepare<[string], { count: number }>(
    'SELECT count FROM wrong_codes WHERE request = ?',
  );
  const isSpent = (id: string) => (wrongs.get(id)?.count ?? 0) >= MOST_WRONG;

  return {
    /** The codes in the order they are shown: the same each time. */
    of({ id, code }: Matched, session: string): readonly string[] {
      insert.run(id, session, JSON.stringify(shuffled(code)), clock.now());
      return JSON.parse(find.get(id, session)?.codes ?? '[]');
    },
    /** Notes a pick. Wrong ones count for the request, whichever session they came from. */
    pick(
      { id, code }: Matched,
      session: string,
      picked: string,
    ): 'right' | 'wrong_code' | 'wrong_code_too_often' {
      if (isSpent(id)) return 'wrong_code_too_often';
      if (picked === code) {
        insert.run(id, session, JSON.stringify(shuffled(code)), clock.now());
        right.run(id, session);
        return 'right';
      }
      return (wrong.get(id)?.count ?? MOST_WRONG) >= MOST_WRONG ? 'wrong_code_too_often' : 'wrong_code';
    },
    isPicked: (id: string, session: string): boolean => find.get(id, session)?.picked === 1,
    isSpent,
  };
}

/** The true code at a random place among others; none is like another. */
function shuffled(code: string): string[] {
  const codes: string[] = [];
  while (codes.length < CHOICES - 1) codes.push(drawFreeCode([code, ...codes], drawCode));
  codes.splice(randomInt(CHOICES), 0, code);
  return codes;
}
