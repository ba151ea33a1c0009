import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { App } from '../app.ts';

/** All of the user's mandates, newest first. @throws {TradeAgentError} `login_required` */
export async function listMandates(app: App): Promise<MandateView[]> {
  return await (await app.gateway()).mandates();
}

/** @throws {TradeAgentError} `not_found`, `login_required` */
export async function findMandate(app: App, id: string): Promise<MandateView> {
  return await (await app.gateway()).mandate(id);
}

/** Takes a mandate back, for the next order already. @throws {TradeAgentError} `not_found`; `usage` where it has ended */
export async function endMandate(app: App, id: string, to: 'suspended' | 'revoked'): Promise<MandateView> {
  return await (await app.gateway()).endMandate(id, to);
}
