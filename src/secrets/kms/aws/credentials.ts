import { readFileSync } from 'node:fs';
import { TradeAgentError } from '../../../errors/errors.ts';
import { isSecureUrl, requireSecureUrl } from '../../../net/secure-url.ts';
import { defined } from '../../../values/defined.ts';
import {
  type AwsCredentialOptions,
  type AwsCredentialSource,
  type AwsCredentials,
  awsDomain,
  fetchCredentialText,
  noCredentialsError,
  parseRoleCredentials,
} from './credential-request.ts';

const fromEnvironment: AwsCredentialSource = async ({ env }) => {
  const [accessKeyId, secretAccessKey] = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env.AWS_SESSION_TOKEN;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
};

const STS = 'STS by web identity';

/**
 * Obtains the credentials of `AWS_ROLE_ARN` with a token that the platform renews in `AWS_WEB_IDENTITY_TOKEN_FILE`
 * (EKS: IAM roles for service accounts). This is the only unsigned request to AWS. `AWS_ENDPOINT_URL_STS` overrides the
 * address of STS.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
const fromWebIdentity: AwsCredentialSource = async ({ env, region, fetch }) => {
  const [file, RoleArn] = [env.AWS_WEB_IDENTITY_TOKEN_FILE, env.AWS_ROLE_ARN];
  if (!file || !RoleArn) return undefined;
  const url = requireSecureUrl(env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.${awsDomain(region)}`);
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME || 'trade-agent',
    WebIdentityToken: readToken(file),
  });
  const text = await fetchCredentialText(fetch, STS, { url, method: 'POST', body });
  // The XML always has the same shape, and the values are base64 and a date, which XML does not escape.
  const element = (name: string) =>
    new RegExp(`<Credentials>[^]*?<${name}>([\\w+/=:.-]+)</${name}>[^]*?</Credentials>`).exec(text)?.[1];
  const [accessKeyId, secretAccessKey] = [element('AccessKeyId'), element('SecretAccessKey')];
  const [sessionToken, expiresAt] = [element('SessionToken'), Date.parse(element('Expiration') ?? '')];
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt))
    throw noCredentialsError(STS, 'invalid response');
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
};

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw noCredentialsError(STS, `there is no token in ${file}`);
  }
}

/** Link-local addresses of ECS and of EKS Pod Identity (IPv4 and IPv6), to which requests are sent without TLS. */
const LINK_LOCAL = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];
const CONTAINER = 'the container’s role';

/**
 * Requests credentials from `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` (ECS) or `…_FULL_URI` (EKS Pod Identity), with the
 * authorization that the service requires.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
const fromContainer: AwsCredentialSource = async ({ env, fetch }) => {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!relative && !full) return undefined;
  const text = relative ? `http://169.254.170.2${relative}` : (full ?? '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTheirs = url !== undefined && (LINK_LOCAL.includes(url.hostname) || isSecureUrl(text));
  if (!isTheirs) throw noCredentialsError(CONTAINER, 'its address is neither https nor an AWS link-local address');
  const authorization = readAuthorization(env);
  const headers = defined({ authorization });
  return parseRoleCredentials(CONTAINER, await fetchCredentialText(fetch, CONTAINER, { url, headers }));
};

/** Returns the authorization token. Reads its file for each request, because the platform renews the token. */
function readAuthorization(env: NodeJS.ProcessEnv): string | undefined {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  if (!file) return env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (/^[\x20-\x7e]+$/.test(token)) return token;
  } catch {
    // Handled below, like an invalid token.
  }
  throw noCredentialsError(CONTAINER, `there is no token in ${file}`);
}

const METADATA_ADDRESS = 'http://169.254.169.254';
/**
 * Timeout in milliseconds. Short, because the metadata service is link-local and responds quickly. Outside AWS, nothing
 * responds.
 */
const METADATA_TIMEOUT_MS = 1_000;
/** Lifetime of the metadata token, long enough for the two requests that use it. */
const TOKEN_SECONDS = 60;
const MACHINE = 'the machine’s role';

/**
 * Requests the credentials of an EC2 instance's role. Uses only version 2 of the metadata service, because version 1
 * gives credentials to anyone who can make a server fetch a URL. `AWS_EC2_METADATA_DISABLED=true` disables this source.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
const fromInstance: AwsCredentialSource = async ({ env, fetch }) => {
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return undefined;
  const named = env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  const base = named ? requireSecureUrl(named) : new URL(METADATA_ADDRESS);
  const ask = (path: string, method: 'GET' | 'PUT', headers: Readonly<Record<string, string>>) =>
    fetchCredentialText(fetch, MACHINE, {
      url: new URL(path, base),
      method,
      headers,
      timeoutMs: METADATA_TIMEOUT_MS,
    });
  const token = await ask('/latest/api/token', 'PUT', {
    'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS),
  });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = '/latest/meta-data/iam/security-credentials/';
  const role = (await ask(roles, 'GET', headers)).trim();
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw noCredentialsError(MACHINE, 'the machine has no role');
  return parseRoleCredentials(MACHINE, await ask(`${roles}${role}`, 'GET', headers));
};

/** The sources, in the order that AWS's SDKs use. AWS profiles are not a source, because they are meant for people. */
const sources: readonly AwsCredentialSource[] = [fromEnvironment, fromWebIdentity, fromContainer, fromInstance];

/** Milliseconds before expiry at which credentials are renewed. AWS provides new ones at least five minutes before. */
const RENEW_BEFORE_MS = 5 * 60_000;

/**
 * Returns a function that obtains the process's credentials: from its environment, a web identity (EKS), its
 * container's role (ECS, EKS Pod Identity) or its machine's role (EC2, IMDSv2). Credentials are cached until shortly
 * before they expire, or until they expire if no new credentials can be obtained.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * @returns a function that throws {@link TradeAgentError} `credential_store_unavailable` if there are no credentials
 */
export function createAwsCredentialProvider(options: AwsCredentialOptions): () => Promise<AwsCredentials> {
  const { clock } = options;
  let kept: AwsCredentials | undefined;
  let renewing: Promise<AwsCredentials> | undefined;
  const holds = (found: AwsCredentials, forMs: number) =>
    found.expiresAt === undefined || clock.now() + forMs < found.expiresAt;
  const renew = async (): Promise<AwsCredentials> => {
    try {
      kept = await findCredentials(options);
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

async function findCredentials(options: AwsCredentialOptions): Promise<AwsCredentials> {
  for (const source of sources) {
    const credentials = await source(options);
    if (credentials !== undefined) return credentials;
  }
  throw new TradeAgentError('credential_store_unavailable', 'there are no AWS credentials', {
    hint: 'Assign a role to the container or the machine, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  });
}
