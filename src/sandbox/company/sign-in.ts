import type Provider from 'oidc-provider';
import { IDENTITY_SCOPES } from '../../oauth/scopes.ts';
import type { CompanyPeople } from './people.ts';

interface SignInStrength {
  readonly acr: string;
  readonly amr: readonly string[];
}

export const BY_PASSWORD: SignInStrength = { acr: 'pwd', amr: ['pwd'] };
/** A second factor that can't be phished (OpenID Connect EAP ACR Values 1.0 §2). */
export const BY_SECOND_FACTOR: SignInStrength = { acr: 'phr', amr: ['pwd', 'hwk', 'mfa'] };

type DeviceOutcome = 'allowed' | 'denied' | 'not_found';

export type CompanySignIn = ReturnType<typeof companySignIn>;

export function companySignIn(provider: Provider, people: Pick<CompanyPeople, 'find'>, now: () => number) {
  return {
    /** Decides a device code (RFC 8628) as the person; undefined denies it. Final either way. */
    async decide(
      userCode: string,
      sub: string | undefined,
      { acr, amr }: SignInStrength,
    ): Promise<DeviceOutcome> {
      const normalized = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
      const code = await provider.DeviceCode.findByUserCode(normalized);
      const isOpen = code?.accountId === undefined && code?.error === undefined;
      if (code?.clientId === undefined || !isOpen || code.isExpired) return 'not_found';
      const person = sub === undefined ? undefined : people.find(sub);
      if (person === undefined) {
        Object.assign(code, { error: 'access_denied', errorDescription: 'the person refused' });
        await code.save();
        return 'denied';
      }
      const asked = String(code.params?.scope ?? '').split(' ');
      const scope = IDENTITY_SCOPES.filter((name) => asked.includes(name)).join(' ');
      const grant = new provider.Grant({ clientId: code.clientId, accountId: person.sub });
      grant.addOIDCScope(scope);
      const grantId = await grant.save();
      const authTime = Math.floor(now() / 1000);
      Object.assign(code, { accountId: person.sub, acr, amr: [...amr], authTime, grantId, scope });
      await code.save();
      return 'allowed';
    },
  };
}
