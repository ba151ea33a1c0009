import { z } from 'zod';
import { TradeAgentError } from '../../trading/errors.ts';

/** Somebody of a home, as tokens name them: `username` is the `sub`. */
export interface NewPerson {
  readonly username: string;
  readonly name: string;
  /** Empty where there is none. */
  readonly email: string;
}

/** Stands in file names, links and logs. */
const usernamePattern = /^[a-z][a-z0-9_-]{0,31}$/;
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
}): NewPerson {
  const shown = name.trim();
  if (shown === '' || shown.length > LONGEST_NAME || /\p{C}/u.test(shown)) {
    throw new TradeAgentError('usage', `a name has 1 to ${LONGEST_NAME} characters, and none that can't be seen`, {
      hint: 'Write it as the phone is to show it: --name "Ada Lovelace".',
    });
  }
  if (!usernamePattern.test(username)) {
    throw new TradeAgentError('usage', `"${username}" can't be a user name`, {
      hint: 'Use up to 32 small letters, digits, - and _, a letter first.',
    });
  }
  if (email !== '' && !z.email().safeParse(email).success) {
    throw new TradeAgentError('usage', `"${email}" is no e-mail address`, { hint: 'Leave it out, or correct it.' });
  }
  return { username, name: shown, email };
}

/** The first word of a name in small Latin letters: `Zoë Adams` is `zoe`. */
function usernameOf(name: string): string {
  const [word = ''] = name.trim().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/\s+/);
  const plain = word.replace(/[^a-z0-9_-]/g, '').slice(0, 32);
  return usernamePattern.test(plain) ? plain : 'owner';
}
