import { TradeAgentError } from '../../../errors/errors.ts';
import { fromContainer } from './container.ts';
import type { AwsCredentialOptions, AwsCredentialSource, AwsCredentials } from './credential-source.ts';
import { fromEnvironment } from './environment.ts';
import { fromInstance } from './instance.ts';
import { fromWebIdentity } from './web-identity.ts';

/** In the order of AWS's own SDKs, but for profiles: those are for people. */
const sources: readonly AwsCredentialSource[] = [
  fromEnvironment,
  fromWebIdentity,
  fromContainer,
  fromInstance,
];

/** New ones are there at least five minutes before the old ones end. */
const RENEW_BEFORE_MS = 5 * 60_000;

/**
 * Credentials of the process: from its environment, a web identity (EKS), its container's role (ECS, EKS Pod Identity) or its machine's
 * (EC2, IMDSv2). Kept until shortly before they end; where no new ones are to be had, until they do.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * @returns a function that throws {@link TradeAgentError} `credential_store_unavailable` where there are none
 */
export function awsCredentials(options: AwsCredentialOptions): () => Promise<AwsCredentials> {
  const { clock } = options;
  let kept: AwsCredentials | undefined;
  let renewing: Promise<AwsCredentials> | undefined;
  const holds = (found: AwsCredentials, forMs: number) =>
    found.expiresAt === undefined || clock.now() + forMs < found.expiresAt;
  const renew = async (): Promise<AwsCredentials> => {
    try {
      kept = await found(options);
      return kept;
    } catch (error) {
      if (kept !== undefined && holds(kept, 0)) return kept;
      throw error;
    }
  };
  return async () => {
    if (kept !== undefined && holds(kept, RENEW_BEFORE_MS)) return kept;
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return await renewing;
  };
}

async function found(options: AwsCredentialOptions): Promise<AwsCredentials> {
  for (const source of sources) {
    const credentials = await source(options);
    if (credentials !== undefined) return credentials;
  }
  throw new TradeAgentError('credential_store_unavailable', 'there are no AWS credentials', {
    hint: 'Give the container or the machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  });
}
