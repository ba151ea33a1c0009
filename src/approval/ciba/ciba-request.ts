import { endOf } from '../../auth/provider/lifetime.ts';
import { inProviderTime } from '../../auth/provider/provider.ts';
import { providerError, providerFailure } from '../../auth/provider/provider-failure.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { defined } from '../../values/defined.ts';
import type { BackchannelAuthentication, Question } from '../asking-port.ts';
import type { CibaClient, ConnectCiba } from './ciba-client.ts';

/** CIBA Core §7.3. */
const DEFAULT_INTERVAL_S = 5;

const WHAT = 'the approval could not be asked for';

export interface CibaRequestOptions {
  readonly issuer: string;
  /** The gateway's resource identifier: the audience of the approval's token. */
  readonly resource: string;
  readonly details: 'rar' | 'message';
  readonly delivery: 'poll' | 'ping';
  readonly clock: Clock;
  readonly fetch: typeof fetch | undefined;
}

/**
 * Asks the owner (CIBA Core §7.1); once more by another client id where the provider has forgotten ours.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`
 */
export async function sendQuestion(
  connect: ConnectCiba,
  question: Question,
  options: CibaRequestOptions,
): Promise<BackchannelAuthentication> {
  const client = await connect();
  requireDetails(client, options);
  try {
    return await send(client, question, options);
  } catch (error) {
    if (!isInvalidClient(error)) throw providerError(providerFailure(error), WHAT, options.issuer);
    const known = await connect(client.clientId);
    if (known.clientId === client.clientId) throw unknownClient(client);
    return await send(known, question, options).catch((again: unknown) => {
      throw isInvalidClient(again)
        ? unknownClient(known)
        : providerError(providerFailure(again), WHAT, options.issuer);
    });
  }
}

/** Throws what openid-client throws. */
async function send(
  client: CibaClient,
  question: Question,
  options: CibaRequestOptions,
): Promise<BackchannelAuthentication> {
  const { initiateBackchannelAuthentication } = await import('openid-client');
  const { dialect, metadata } = client;
  const { sub, name, email } = question.asked;
  const expiresIn = Math.max(1, Math.floor(Math.min(question.expiresIn, dialect.longestApproval)));
  let sentAt = options.clock.now();
  const answer = await inProviderTime(options.issuer, async () => {
    const configuration = await client.configure({ fetch: options.fetch });
    sentAt = options.clock.now();
    return await initiateBackchannelAuthentication(configuration, {
      scope: `openid ${question.scope}`,
      login_hint: dialect.loginHint({ sub, username: name, email }, metadata.issuer),
      binding_message: dialect.bindingMessage(question.bindingMessage),
      requested_expiry: String(expiresIn),
      ...(options.details === 'rar' ? { authorization_details: JSON.stringify([question.details]) } : {}),
      ...(options.delivery === 'ping' ? { client_notification_token: question.notificationToken } : {}),
      ...defined({ acr_values: question.acr }),
      ...dialect.audience(options.resource),
    });
  });
  return {
    authReqId: answer.auth_req_id,
    // Providers may count in parts of a second, our rows in whole ones.
    expiresAt: endOf(sentAt, answer.expires_in),
    interval: Math.ceil(answer.interval ?? DEFAULT_INTERVAL_S),
  };
}

/** The phone is not rung for an approval whose token could never carry what was approved. */
function requireDetails({ dialect }: CibaClient, { details }: CibaRequestOptions): void {
  if (details === 'message' || dialect.details !== 'never') return;
  throw new TradeAgentError('provider_error', `${WHAT}: ${dialect.label} carries no authorization details`, {
    hint: 'For paper accounts set "approval: {details: message}" in gateway.yaml; for live money use another provider.',
  });
}

function isInvalidClient(error: unknown): boolean {
  const failure = providerFailure(error);
  return failure.kind === 'oauth' && failure.error === 'invalid_client';
}

function unknownClient({ clientId }: CibaClient): TradeAgentError {
  return new TradeAgentError(
    'provider_error',
    `${WHAT}: the identity provider refuses the gateway’s client ${clientId}`,
    {
      hint: 'Check approval.client_id in gateway.yaml, and that the public key of "trade-agent gateway key" is registered for it.',
      details: { error: 'invalid_client' },
    },
  );
}
