import { detectProvider, dialectOf } from '../../auth/provider/dialects.ts';
import { providerMetadata } from '../../auth/provider/provider.ts';
import { checkProviderFeatures, type ProviderFinding } from '../../auth/provider/provider-check.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { checkGateway } from '../doctor/server-checks.ts';
import { namedProfile } from './named-profile.ts';

/** What was found about one thing the provider or the gateway must do. */
export interface ProfileFinding extends Omit<ProviderFinding, 'feature'> {
  readonly feature: ProviderFinding['feature'] | 'provider' | 'gateway';
}

export interface CheckedProfile {
  readonly name: string;
  readonly provider: ProviderName;
  /** The provider's name for people. */
  readonly label: string;
  readonly issuer: string;
  /** False where something won't work. */
  readonly ok: boolean;
  readonly findings: readonly ProfileFinding[];
}

/**
 * Checks a profile against its identity provider and gateway; the one in use unless named.
 * @throws {TradeAgentError} `invalid_config`, `provider_unreachable`
 */
export async function checkProfile(app: App, name: string | undefined): Promise<CheckedProfile> {
  const profile = await namedProfile(app, name);
  // Not from the cache: somebody has just changed something at the provider.
  const metadata = await providerMetadata(profile.issuer, {
    fetch: app.fetch,
    clock: app.clock,
    fresh: true,
  });
  const detected = detectProvider(metadata);
  const named = profile.provider ?? 'standard';
  const gateway = await checkGateway(app, profile);
  const findings: ProfileFinding[] = [
    ...(detected === named
      ? []
      : [
          {
            feature: 'provider' as const,
            status: 'warn' as const,
            message: `the profile says ${named}, but this looks like ${dialectOf({ provider: detected }).label}`,
            fix: `trade-agent config set profiles.${profile.name}.provider ${detected}`,
          },
        ]),
    ...checkProviderFeatures(profile, metadata),
    {
      feature: 'gateway',
      status: gateway.status === 'skip' ? 'warn' : gateway.status,
      message: gateway.message,
      ...defined({ fix: gateway.fix }),
    },
  ];
  return {
    name: profile.name,
    provider: named,
    label: dialectOf(profile).label,
    issuer: profile.issuer,
    ok: findings.every(({ status }) => status !== 'fail'),
    findings,
  };
}
