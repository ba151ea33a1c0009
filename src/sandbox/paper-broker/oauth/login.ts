import { sameSecret } from '../../../secrets/constant-time.ts';

/** Wrong passwords before a user name has to wait, and how long (milliseconds). */
const MOST_TRIES = 10;
const TRIES_WINDOW = 15 * 60_000;

export interface User {
  username: string;
  password: string;
}

/** Whether a person's password is right; `too_many`: it was wrong so often that it is not looked at. */
export type Login = (username: string, password: string) => 'right' | 'wrong' | 'too_many';

/** Looks passwords up, and slows down whoever guesses. */
export function createLogin(users: readonly User[], now: () => number): Login {
  const tries = new Map<string, { since: number; count: number }>();
  return (username, password) => {
    const tried = tries.get(username);
    const fresh = tried !== undefined && now() - tried.since < TRIES_WINDOW ? tried : undefined;
    if (fresh !== undefined && fresh.count >= MOST_TRIES) return 'too_many';
    const user = users.find((known) => known.username === username);
    // Compared even for an unknown name, which otherwise would be told by the time it takes.
    const right = sameSecret(password, user?.password ?? '');
    // Only names that exist are counted, so that the table can't be filled up.
    if (user === undefined) return 'wrong';
    if (!right) {
      tries.set(username, { since: fresh?.since ?? now(), count: (fresh?.count ?? 0) + 1 });
      return 'wrong';
    }
    tries.delete(username);
    return 'right';
  };
}
