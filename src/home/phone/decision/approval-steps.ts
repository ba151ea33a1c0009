import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../../machine/clock.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import { createCodeChoices } from './code-choices.ts';
import { isCodePicked, type NumberMatching } from './picked-code.ts';
import { lastFour, requestView } from './request-view.ts';

/** How long a sign-in is fresh enough for real money. */
const FRESH_MS = 10 * 60 * 1000;

/** Who approves, in which browser. */
export interface Approver {
  readonly user: string;
  /** Its id. */
  readonly session: string;
  /** When they proved to this browser who they are; milliseconds since the epoch. */
  readonly signedInAt: number;
}

/** What is still to be done before an approval counts; undefined where nothing is. */
export interface Hindrance {
  readonly code: 'no_code' | 'wrong_code' | 'wrong_code_too_often' | 'sign_in' | 'not_confirmed';
  readonly title: string;
  readonly text: string;
}

/**
 * What a person does before they approve, beside signing it: picking the terminal's code, and for real money a fresh
 * sign-in and, once, a typed word. Kept here, so that no page can leave it out.
 */
export interface ApprovalSteps {
  /** The codes to pick from; undefined where no code is to be picked. */
  codes(request: ApprovalRequest, session: string): readonly string[] | undefined;
  /** Whether the person still has to type that they know the money is real. */
  wantsConfirmation(request: ApprovalRequest, user: string): boolean;
  /** Takes what the person picked and typed. */
  take(
    request: ApprovalRequest,
    approver: Approver,
    given: { readonly match: string | undefined; readonly confirm: string | undefined },
  ): Hindrance | undefined;
  /** Whether all was done, when the approval comes. */
  check(request: ApprovalRequest, approver: Approver): Hindrance | undefined;
  /** Why it was denied, where that was no tap on Deny. */
  whyDenied(request: ApprovalRequest): string | undefined;
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
}): ApprovalSteps {
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
    codes: (request, session) => (matches(request) ? choices.of(request, session) : undefined),
    wantsConfirmation(request, user) {
      const { live, account = '' } = requestView(request);
      return live && !confirmations.has(user, account);
    },
    take(request, approver, { match, confirm = '' }) {
      const view = requestView(request);
      if (matches(request)) {
        if (match === undefined || match === '') return hindered('no_code');
        const pick = choices.pick(request, approver.session, match);
        if (pick !== 'right') return hindered(pick === 'wrong' ? 'wrong_code' : 'wrong_code_too_often');
      }
      const typed = confirm.trim().toUpperCase();
      const right = ['LIVE', lastFour(view.account)?.toUpperCase()];
      if (view.live && typed !== '' && right.includes(typed)) {
        confirmations.keep(approver.user, view.account ?? '');
      }
      return check(request, approver);
    },
    check,
    whyDenied: ({ id, status }) =>
      status === 'denied' && choices.isSpent(id) ? hindrances.wrong_code_too_often.text : undefined,
  };
}

/** Who has typed, once for an account, that they know its money is real. */
interface LiveConfirmations {
  has(user: string, account: string): boolean;
  keep(user: string, account: string): void;
}

/** The confirmations in SQLite. */
function createLiveConfirmations(database: Database, clock: Clock): LiveConfirmations {
  database.exec(`
    CREATE TABLE IF NOT EXISTS live_confirmations (
      user TEXT NOT NULL, account TEXT NOT NULL, confirmed_at INTEGER NOT NULL, PRIMARY KEY (user, account)
    ) STRICT;
  `);
  const find = database.prepare<[string, string]>(
    'SELECT 1 FROM live_confirmations WHERE user = ? AND account = ?',
  );
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO live_confirmations VALUES (?, ?, ?)',
  );
  return {
    has: (user, account) => find.get(user, account) !== undefined,
    keep: (user, account) => void insert.run(user, account, clock.now()),
  };
}
