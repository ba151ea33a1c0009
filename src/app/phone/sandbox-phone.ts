import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import {
  type AnsweredConnection,
  createPhoneClient,
  type PhoneClient,
} from '../../home/phone/phone-client.ts';
import type { App } from '../app.ts';

/** The phone of the sandbox's users. @throws {TradeAgentError} `invalid_config` for another user's sandbox */
export async function openPhone(app: App): Promise<PhoneClient> {
  const { phone } = await app.sandbox();
  return createPhoneClient({ phone, pairingSecret: await pairingSecretOf(app), fetch: app.fetch });
}

async function pairingSecretOf(app: App): Promise<string> {
  const { home } = await app.sandbox();
  const file = join(home, 'pairing-secret');
  const pairingSecret = await readFile(file, 'utf8').catch((cause) => {
    throw new TradeAgentError('invalid_config', `the phone's pairing secret can't be read: ${file}`, {
      hint: 'The phone must run as the user who runs the sandbox.',
      cause,
    });
  });
  return pairingSecret.trim();
}

/**
 * Confirms the code that a login shows.
 * @param at where: the home, or the company that its people work at
 * @throws {TradeAgentError} `not_found`, `login_expired`, `usage` (used already)
 */
export async function confirmLogin(
  app: App,
  user: string,
  code: string,
  at: 'home' | 'company' = 'home',
): Promise<void> {
  if (at === 'home') await (await openPhone(app)).completeDevice(user, code);
  else await confirmAtCompany(app, user, code);
}

const CONFIRM_TIMEOUT_MS = 10_000;

async function confirmAtCompany(app: App, user: string, code: string): Promise<void> {
  const { company } = await app.sandbox();
  if (company === undefined) {
    throw new TradeAgentError('not_found', 'the sandbox has no company', {
      hint: 'Start it with "trade-agent sandbox --company".',
    });
  }
  const { status } = await app.fetch(`${company.issuer}/device/decide`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await pairingSecretOf(app)}`,
    },
    body: JSON.stringify({ user_code: code, user }),
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)]),
  });
  if (status === 200) return;
  throw new TradeAgentError('not_found', `the company has no open code ${code}, or nobody called ${user}`, {
    hint: 'Check the code that "trade-agent login" shows; the people are alice and bob.',
  });
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
