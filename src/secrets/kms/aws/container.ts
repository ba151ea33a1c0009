import { readFileSync } from 'node:fs';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { defined } from '../../../values/defined.ts';
import { credentialText, noCredentials, roleCredentials } from './credential-request.ts';
import type { AwsCredentialSource } from './credential-source.ts';

/** Of ECS, and of EKS Pod Identity (both protocols): on the machine's own link, where there is no TLS. */
const LINK_LOCAL = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];
const WHOM = 'the container’s role';

/**
 * `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` (ECS) or `…_FULL_URI` (EKS Pod Identity), and what it wants to be shown.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export const fromContainer: AwsCredentialSource = async ({ env, fetch }) => {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!relative && !full) return undefined;
  const text = relative ? `http://169.254.170.2${relative}` : (full ?? '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTheirs = url !== undefined && (LINK_LOCAL.includes(url.hostname) || isSecureUrl(text));
  if (!isTheirs) throw noCredentials(WHOM, 'its address is neither https nor one of AWS’s own');
  const authorization = authorizationIn(env);
  const headers = defined({ authorization });
  return roleCredentials(WHOM, await credentialText(fetch, WHOM, { url, headers }));
};

/** The file is read at each request: it is renewed. */
function authorizationIn(env: NodeJS.ProcessEnv): string | undefined {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  if (!file) return env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (/^[\x20-\x7e]+$/.test(token)) return token;
  } catch {
    // Told below, as a token that is none.
  }
  throw noCredentials(WHOM, `there is no token in ${file}`);
}
