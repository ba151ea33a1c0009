import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { App } from '../app.ts';
import { wholeId } from '../whole-id.ts';

/** All of the user's mandates, newest first. @throws {TradeAgentError} `login_required` */
export async function listMandates(app: App): Promise<MandateView[]> {
  return await (await app.gateway()).mandates();
}

function mandateIdOf(app: App, typed: string): Promise<string> {
  return wholeId(typed, {
    called: 'mandates',
    whole: /^M-[A-Za-z0-9_-]{10}$/,
    list: async () => (await listMandates(app)).map(({ id }) => id),
  });
}

/** @param id or its beginning @throws {TradeAgentError} `not_found`, `usage`, `login_required` */
export async function findMandate(app: App, id: string): Promise<MandateView> {
  return await (await app.gateway()).mandate(await mandateIdOf(app, id));
}

/** Takes a mandate back, for the next order already. @throws {TradeAgentError} `not_found`; `usage` where it has ended */
export async function endMandate(app: App, id: string, to: 'suspended' | 'revoked'): Promise<MandateView> {
  return await (await app.gateway()).endMandate(await mandateIdOf(app, id), to);
}
