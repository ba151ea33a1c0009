import { TradeAgentError } from '../../errors/errors.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { App } from '../app.ts';
import { type OpenHome, withHome } from './open-home.ts';

/** A link that pairs one phone with one person. */
export interface Pairing {
  readonly user: string;
  /** The secret is behind `#`: no server's log, no proxy and no referrer header has it. */
  readonly url: string;
  readonly expiresAt: string;
}

/**
 * Makes a link that pairs a phone once, within ten minutes; an earlier one of the same person ends. Also while the home
 * runs: a pairing is a row.
 * @param username the home's one person where none is named
 * @throws {TradeAgentError} `not_found`, `usage` where there are several, `invalid_config`
 */
export async function pairPhone(
  app: Pick<App, 'clock'>,
  folder: string,
  username: string | undefined,
): Promise<Pairing> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const { secret, expiresAt } = await home.keys.pair(person.username);
    return {
      user: person.username,
      url: `${home.settings.address}/phone/pair#${secret}`,
      expiresAt: utcSeconds(expiresAt),
    };
  });
}

/** @throws {TradeAgentError} `not_found`, `usage` */
export function personOf({ people }: Pick<OpenHome, 'people'>, username: string | undefined) {
  const all = people.list();
  const found = username === undefined ? all[0] : people.find(username);
  const names = all.map((person) => person.username).join(', ');
  if (found === undefined) {
    throw new TradeAgentError(
      'not_found',
      username === undefined ? 'nobody lives here' : `there is no ${username} here`,
      { hint: names === '' ? 'Add somebody with "trade-agent home user add".' : `There is: ${names}.` },
    );
  }
  if (username === undefined && all.length > 1) {
    throw new TradeAgentError('usage', `several people live here: ${names}`, {
      hint: 'Name one with --user.',
    });
  }
  return found;
}
