import { readFileSync } from 'node:fs';
import { requireSecureUrl } from '../../../net/secure-url.ts';
import { credentialText, noCredentials } from './credential-request.ts';
import { type AwsCredentialSource, domainOf } from './credential-source.ts';

const WHOM = 'STS by web identity';

/**
 * A role for a token that others renew in a file: `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` (EKS: IAM roles for service
 * accounts). The one question to AWS that is not signed. `AWS_ENDPOINT_URL_STS` is another address of STS.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export const fromWebIdentity: AwsCredentialSource = async ({ env, region, fetch }) => {
  const [file, RoleArn] = [env.AWS_WEB_IDENTITY_TOKEN_FILE, env.AWS_ROLE_ARN];
  if (!file || !RoleArn) return undefined;
  const url = requireSecureUrl(env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.${domainOf(region)}`);
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME || 'trade-agent',
    WebIdentityToken: tokenIn(file),
  });
  const text = await credentialText(fetch, WHOM, { url, method: 'POST', body });
  // XML of one shape; what is looked for is base64, a date, and nothing that XML would write otherwise.
  const element = (name: string) =>
    new RegExp(`<Credentials>[^]*?<${name}>([\\w+/=:.-]+)</${name}>[^]*?</Credentials>`).exec(text)?.[1];
  const [accessKeyId, secretAccessKey] = [element('AccessKeyId'), element('SecretAccessKey')];
  const [sessionToken, expiresAt] = [element('SessionToken'), Date.parse(element('Expiration') ?? '')];
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt))
    throw noCredentials(WHOM, 'no sound answer');
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
};

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw noCredentials(WHOM, `there is no token in ${file}`);
  }
}
