import type { CompanySignIn } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { App } from '../app.ts';

/** The client that companies register for trade-agent where nobody says otherwise. A home's own is `trade-agent`. */
const USUAL_CLIENT = 'trade-agent-company';

/** A company as somebody names it. */
export interface AskedCompany {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
}

/**
 * The company that is meant: the one that was named, else the profile's.
 * @throws {TradeAgentError} `usage` where there is none
 */
export async function chosenCompany(app: App, { issuer, clientId }: AskedCompany): Promise<CompanySignIn> {
  const { company: kept, sandbox } = await app.profile();
  const chosen = issuer ?? kept?.issuer;
  if (chosen === undefined) {
    throw new TradeAgentError('usage', 'no company is named', {
      hint: 'Name its identity provider: --company https://login.acme.example',
    });
  }
  if (!URL.canParse(chosen) || !/^https?:$/.test(new URL(chosen).protocol)) {
    throw new TradeAgentError('usage', `--company must be the address of an identity provider (${chosen})`, {
      hint: 'As in --company https://login.acme.example',
    });
  }
  if (clientId !== undefined) return { issuer: chosen, client_id: clientId };
  if (chosen === kept?.issuer) return kept;
  const pretend = sandbox ? (await app.sandbox()).company : undefined;
  return pretend?.issuer === chosen ? pretend : { issuer: chosen, client_id: USUAL_CLIENT };
}
