import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Person } from '../../store/home/people.ts';

/** As a phone shows it. */
const LONGEST_NAME = 60;

/**
 * A person, with a user name made of the name where none is given.
 * @throws {TradeAgentError} `usage`
 */
export function newPerson({
  name,
  username = usernameOf(name),
  email = '',
}: {
  readonly name: string;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}): Person {
  const shown = name.trim();
  if (shown === '' || shown.length > LONGEST_NAME || /\p{C}/u.test(shown)) {
    throw new TradeAgentError('usage', `a name has 1 to ${LONGEST_NAME} characters that can be seen`, {
      hint: 'Write it as the phone is to show it: --name "Ada Lovelace".',
    });
  }
  if (email !== '' && !z.email().safeParse(email).success) {
    throw new TradeAgentError('usage', `"${email}" is no e-mail address`, {
      hint: 'Correct it, or leave it out.',
    });
  }
  return { username, name: shown, email };
}

/** The first word of a name in small Latin letters: `Zoë Adams` is `zoe`. */
function usernameOf(name: string): string {
  const [word = ''] = name.trim().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/\s+/);
  const plain = word.replace(/[^a-z0-9_-]/g, '').slice(0, 32);
  return /^[a-z]/.test(plain) ? plain : 'owner';
}
