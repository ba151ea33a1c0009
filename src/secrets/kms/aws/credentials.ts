import { readFileSync } from 'node:fs';
import { TradeAgentError } from '../../../errors/errors.ts';
import { isSecureUrl, requireSecureUrl } from '../../../net/secure-url.ts';
import { defined } from '../../../values/defined.ts';
import {
  type AwsCredentialOptions,
  type AwsCredentialSource,
  type AwsCredentials,
  credentialText,
  domainOf,
  noCredentials,
  roleCredentials,
} from './credential-request.ts';

/** `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and `AWS_SESSION_TOKEN` where they are for a time. */
const fromEnvironment: AwsCredentialSource = async ({ env }) => {
  const [accessKeyId, secretAccessKey] = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env.AWS_SESSION_TOKEN;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
};

const STS = 'STS by web identity';

/**
 * A role for a token that others renew in a file: `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` (EKS: IAM roles for service
 * accounts). The one question to AWS that is not signed. `AWS_ENDPOINT_URL_STS` is another address of STS.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
const fromWebIdentity: AwsCredentialSource = async ({ env, region, fetch }) => {
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
  const text = await credentialText(fetch, STS, { url, method: 'POST', body });
  // XML of one shape; what is looked for is base64, a date, and nothing that XML would write otherwise.
  const element = (name: string) =>
    new RegExp(`<Credentials>[^]*?<${name}>([\\w+/=:.-]+)</${name}>[^]*?</Credentials>`).exec(text)?.[1];
  const [accessKeyId, secretAccessKey] = [element('AccessKeyId'), element('SecretAccessKey')];
  const [sessionToken, expiresAt] = [element('SessionToken'), Date.parse(element('Expiration') ?? '')];
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt))
    throw noCredentials(STS, 'no sound answer');
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
};

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw noCredentials(STS, `there is no token in ${file}`);
  }
}

/** Of ECS, and of EKS Pod Identity (both protocols): on the machine's own link, where there is no TLS. */
const LINK_LOCAL = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];
const CONTAINER = 'the container’s role';

/**
 * `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` (ECS) or `…_FULL_URI` (EKS Pod Identity), and what it wants to be shown.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
const fromContainer: AwsCredentialSource = async ({ env, fetch }) => {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!relative && !full) return undefined;
  const text = relative ? `http://169.254.170.2${relative}` : (full ?? '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTheirs = url !== undefined && (LINK_LOCAL.includes(url.hostname) || isSecureUrl(text));
  if (!isTheirs) throw noCredentials(CONTAINER, 'its address is neither https nor one of AWS’s own');
  const authorization = authorizationIn(env);
  const headers = defined({ authorization });
  return roleCredentials(CONTAINER, await credentialText(fetch, CONTAINER, { url, headers }));
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
  throw noCredentials(CONTAINER, `there is no token in ${file}`);
}

const METADATA_ADDRESS = 'http://169.254.169.254';
/** It is on the machine's own link; on one that is not AWS's nobody answers. */
const METADATA_TIMEOUT_MS = 1_000;
/** Long enough for the two questions that follow. */
const TOKEN_SECONDS = 60;
const MACHINE = 'the machine’s role';

/**
 * The role of an EC2 machine, by its metadata service's second version alone (the first gives keys to whoever can make a
 * server fetch an address). `AWS_EC2_METADATA_DISABLED=true` leaves it out.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
const fromInstance: AwsCredentialSource = async ({ env, fetch }) => {
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return undefined;
  const named = env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  const base = named ? requireSecureUrl(named) : new URL(METADATA_ADDRESS);
  const ask = (path: string, method: 'GET' | 'PUT', headers: Readonly<Record<string, string>>) =>
    credentialText(fetch, MACHINE, {
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
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw noCredentials(MACHINE, 'it has none');
  return roleCredentials(MACHINE, await ask(`${roles}${role}`, 'GET', headers));
};

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
