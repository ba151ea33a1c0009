import { requireSecureUrl } from '../../../net/secure-url.ts';
import { credentialText, noCredentials, roleCredentials } from './credential-request.ts';
import type { AwsCredentialSource } from './credential-source.ts';

const ADDRESS = 'http://169.254.169.254';
/** It is on the machine's own link; on one that is not AWS's nobody answers. */
const TIMEOUT_MS = 1_000;
/** Long enough for the two questions that follow. */
const TOKEN_SECONDS = 60;
const WHOM = 'the machine’s role';

/**
 * The role of an EC2 machine, by its metadata service's second version alone (the first gives keys to whoever can make a
 * server fetch an address). `AWS_EC2_METADATA_DISABLED=true` leaves it out.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
export const fromInstance: AwsCredentialSource = async ({ env, fetch }) => {
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return undefined;
  const named = env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  const base = named ? requireSecureUrl(named) : new URL(ADDRESS);
  const ask = (path: string, method: 'GET' | 'PUT', headers: Readonly<Record<string, string>>) =>
    credentialText(fetch, WHOM, { url: new URL(path, base), method, headers, timeoutMs: TIMEOUT_MS });
  const token = await ask('/latest/api/token', 'PUT', {
    'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS),
  });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = '/latest/meta-data/iam/security-credentials/';
  const role = (await ask(roles, 'GET', headers)).trim();
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw noCredentials(WHOM, 'it has none');
  return roleCredentials(WHOM, await ask(`${roles}${role}`, 'GET', headers));
};
