import type { Clock } from '../../../machine/clock.ts';

/** By which requests to AWS are signed. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Milliseconds since the epoch; undefined for those that hold for good. */
  readonly expiresAt?: number;
}

export interface AwsCredentialOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Whose STS is asked. */
  readonly region: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly fetch: typeof fetch;
}

/** @returns undefined where this machine is not set up for it */
export type AwsCredentialSource = (options: AwsCredentialOptions) => Promise<AwsCredentials | undefined>;

/** Where the regions of a partition have their addresses. */
export const domainOf = (region: string) => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');
