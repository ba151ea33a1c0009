import { randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { generateProposalCode, generateUnusedCode } from '../../../approval/kernel/propose.ts';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { DecisionRecorder } from '../../identity-provider/deliver-decision.ts';
import { lastFourCharacters, requestView } from './request-view.ts';

const MAX_LIVE_SIGN_IN_AGE_MS = 10 * 60 * 1000;

export interface Approver {
  readonly user: string;
  readonly session: string;
  /** When the approver signed in on this browser, in milliseconds since the epoch. */
  readonly signedInAt: number;
}

/** A required step that the person has not taken yet. Without it, the approval is rejected. */
export interface UnmetStep {
  readonly code: 'no_code' | 'wrong_code' | 'wrong_code_too_often' | 'sign_in' | 'not_confirmed';
  readonly title: string;
  readonly text: string;
}

/**
 * The steps before an approval, in addition to signing it: picking the terminal's code and, for real money, signing in
 * recently and typing a word once. The server enforces them here, so that no page can skip a step.
 */
type ApprovalSteps = ReturnType<typeof createApprovalSteps>;

export interface DecisionServices {
  readonly keys: ApprovalKeys;
  readonly requests: ApprovalRequests;
  readonly steps: ApprovalSteps;
  readonly signatures: 'required' | 'off';
  readonly decide: DecisionRecorder;
}

const unmetSteps = {
  no_code: { title: 'Pick the code', text: 'Pick the code that your terminal shows, then approve.' },
  wrong_code: {
    title: 'Wrong code',
    text: 'Your terminal shows a different code. Another wrong pick denies the request.',
  },
  wrong_code_too_often: {
    title: 'Denied',
    text: 'The wrong code was picked twice. If this was your request, send it again.',
  },
  sign_in: {
    title: 'Sign in again',
    text: 'This is real money, and you signed in more than ten minutes ago.',
  },
  not_confirmed: {
    title: 'Not confirmed',
    text: 'This is real money. Type LIVE, or the last four characters of the account, then approve.',
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
  const matches = (request: ApprovalRequest) => mustPickCode(request, numberMatching);
  const hindered = (code: UnmetStep['code']): UnmetStep => ({ code, ...unmetSteps[code] });

  const check = (request: ApprovalRequest, { user, session, signedInAt }: Approver): UnmetStep | undefined => {
    const view = requestView(request);
    if (matches(request)) {
      if (choices.isSpent(request.id)) return hindered('wrong_code_too_often');
      if (!choices.isPicked(request.id, session)) return hindered('no_code');
    }
    if (!view.live) return undefined;
    if (clock.now() - signedInAt > MAX_LIVE_SIGN_IN_AGE_MS) return hindered('sign_in');
    return confirmations.has(user, view.account ?? '') ? undefined : hindered('not_confirmed');
  };

  return {
    /** Returns the codes to pick from, or undefined if no code has to be picked. */
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
    ): UnmetStep | undefined {
      const view = requestView(request);
      if (matches(request)) {
        if (match === undefined || match === '') return hindered('no_code');
        const pick = choices.pick(request, approver.session, match);
        if (pick !== 'right') return hindered(pick);
      }
      const typed = confirm.trim().toUpperCase();
      const right = ['LIVE', lastFourCharacters(view.account)?.toUpperCase()];
      if (view.live && typed !== '' && right.includes(typed)) {
        confirmations.keep(approver.user, view.account ?? '');
      }
      return check(request, approver);
    },
    check,
    /** Returns why a request was denied, if the person didn't tap Deny. */
    whyDenied: ({ id, status }: ApprovalRequest): string | undefined =>
      status === 'denied' && choices.isSpent(id) ? unmetSteps.wrong_code_too_often.text : undefined,
  };
}

/** Records who has confirmed, once per account, that the account trades real money. */
function createLiveConfirmations(database: Database, clock: Clock) {
  const find = database.prepare<[string, string]>('SELECT 1 FROM live_confirmations WHERE user = ? AND account = ?');
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO live_confirmations VALUES (?, ?, ?)',
  );
  return {
    has: (user: string, account: string): boolean => find.get(user, account) !== undefined,
    keep: (user: string, account: string) => void insert.run(user, account, clock.now()),
  };
}

/** When the person has to pick the terminal's code from among three, instead of seeing it on the card. */
export type NumberMatching = 'live' | 'always' | 'off';

/** Returns whether this request's code has to be picked. If so, neither the card nor a lock screen may reveal it. */
export function mustPickCode(request: Pick<ApprovalRequest, 'details'>, matching: NumberMatching): boolean {
  return matching === 'always' || (matching === 'live' && requestView(request).live);
}

const CODE_CHOICES = 3;
/** The second wrong pick denies the request, because a guess is right one time in three. */
const MAX_WRONG_PICKS = 2;
/** How long drawn codes are stored, which is longer than any request's lifetime. */
const CHOICE_RETENTION_MS = 2 * 24 * 3600 * 1000;

type MatchedRequest = Pick<ApprovalRequest, 'id' | 'code'>;

/**
 * Implements number matching: the person picks the terminal's code from among three, which requires attention. The
 * wrong codes are drawn only once per request and session, because a reload that changed them would reveal the right
 * code.
 */
function createCodeChoices(database: Database, clock: Clock) {
  database.prepare<[number]>('DELETE FROM code_choices WHERE drawn_at < ?').run(clock.now() - CHOICE_RETENTION_MS);
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
  const wrongs = database.prepare<[string], { count: number }>('SELECT count FROM wrong_codes WHERE request = ?');
  const isSpent = (id: string) => (wrongs.get(id)?.count ?? 0) >= MAX_WRONG_PICKS;

  return {
    /** Returns the codes in display order, which is the same each time. */
    of({ id, code }: MatchedRequest, session: string): readonly string[] {
      insert.run(id, session, JSON.stringify(shuffled(code)), clock.now());
      return JSON.parse(find.get(id, session)?.codes ?? '[]');
    },
    /** Records a pick. Wrong picks are counted per request, across all sessions. */
    pick(
      { id, code }: MatchedRequest,
      session: string,
      picked: string,
    ): 'right' | 'wrong_code' | 'wrong_code_too_often' {
      if (isSpent(id)) return 'wrong_code_too_often';
      if (picked === code) {
        insert.run(id, session, JSON.stringify(shuffled(code)), clock.now());
        right.run(id, session);
        return 'right';
      }
      return (wrong.get(id)?.count ?? MAX_WRONG_PICKS) >= MAX_WRONG_PICKS ? 'wrong_code_too_often' : 'wrong_code';
    },
    isPicked: (id: string, session: string): boolean => find.get(id, session)?.picked === 1,
    isSpent,
  };
}

/** Returns the right code at a random position among other, distinct codes. */
function shuffled(code: string): string[] {
  const codes: string[] = [];
  while (codes.length < CODE_CHOICES - 1) codes.push(generateUnusedCode([code, ...codes], generateProposalCode));
  codes.splice(randomInt(CODE_CHOICES), 0, code);
  return codes;
}
