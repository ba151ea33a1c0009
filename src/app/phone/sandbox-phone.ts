import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AnsweredConnection,
  createPhoneClient,
  type PhoneClient,
} from '../../home/phone/phone-client.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { App } from '../app.ts';

/** The phone of the sandbox's users. @throws {TradeAgentError} `invalid_config` for another user's sandbox */
export async function openPhone(app: App): Promise<PhoneClient> {
  const { phone, home } = await app.sandbox();
  const file = join(home, 'pairing-secret');
  const pairingSecret = await readFile(file, 'utf8').catch((cause) => {
    throw new TradeAgentError('invalid_config', `the phone's pairing secret can't be read: ${file}`, {
      hint: 'The phone must run as the user who runs the sandbox.',
      cause,
    });
  });
  return createPhoneClient({ phone, pairingSecret: pairingSecret.trim(), fetch: app.fetch });
}

/** Confirms the code that a login shows. @throws {TradeAgentError} `not_found`, `login_expired`, `usage` (used already) */
export async function confirmLogin(app: App, user: string, code: string): Promise<void> {
  await (await openPhone(app)).completeDevice(user, code);
}

/**
 * Signs in at a third party as the user, where an account is to be connected.
 * @param given the ticket, or the link it is in
 * @throws {TradeAgentError} `not_found`: no such ticket, already answered, or another user's
 */
export async function answerConnection(
  app: App,
  user: string,
  given: string,
  decision: 'approve' | 'deny',
): Promise<AnsweredConnection> {
  const ticket = (URL.canParse(given) ? new URL(given).searchParams.get('ticket') : given) ?? given;
  return await (await openPhone(app)).answerConnection(user, ticket, decision);
}

/**
 * A link that sets up a browser as the user's phone; it works once.
 * @param options.readOnly signs in instead, to read and to deny
 * @throws {TradeAgentError} `not_found`
 */
export async function phoneLink(
  app: App,
  user: string,
  { readOnly }: { readonly readOnly: boolean },
): Promise<string> {
  const phone = await openPhone(app);
  return (await (readOnly ? phone.ticket(user) : phone.pairing(user))).url;
}
