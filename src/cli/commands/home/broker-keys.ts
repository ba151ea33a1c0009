import { TradeAgentError } from '../../../errors/errors.ts';
import type { CredentialKind, StoredCredentials } from '../../../gateway/broker/stored-kinds.ts';
import type { VerifiedAccount } from '../../../gateway/broker/verify-problems.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { Context } from '../../context/context.ts';

export interface BrokerKeyOptions {
  readonly brokerKeyFile?: string;
  readonly brokerKeyFd?: number;
  readonly confirmLive?: string;
}

/** Reads the broker's keys from a file, a file descriptor, or a hidden prompt. @throws {TradeAgentError} `usage` */
export async function readBrokerKeys(
  { io, signal }: Pick<Context, 'io' | 'signal'>,
  { brokerKeyFile, brokerKeyFd }: BrokerKeyOptions,
  kind: CredentialKind,
): Promise<StoredCredentials> {
  const { readSecretFrom } = await import('../../terminal/secret-file.ts');
  const { parseCredentialsText } = await import('../../../app/home/brokers.ts');
  const { getCredentialTexts } = await import('../../../gateway/broker/stored-kinds.ts');
  const text = await readSecretFrom({ file: brokerKeyFile, fd: brokerKeyFd }, "the broker's keys", signal);
  if (text !== undefined) return parseCredentialsText(text, brokerKeyFile ?? `descriptor ${brokerKeyFd}`, kind);
  if (!io.interactive) {
    throw new TradeAgentError('usage', "the broker's keys are missing", {
      hint: 'Pass a file with --broker-key-file, or a descriptor with --broker-key-fd. Arguments and environment variables are not accepted.',
    });
  }
  const { promptForSecret } = await import('../../terminal/secret-input.ts');
  const ask = async (question: string) => {
    for (;;) {
      const answer = await promptForSecret(io, question, signal);
      signal.throwIfAborted();
      if (answer !== '') return answer;
    }
  };
  const { noun, where, fields } = getCredentialTexts(kind);
  io.talk(`\nYour ${noun}: ${where}.\nIt stays on this machine, encrypted in the home's folder.`);
  const given: Record<string, string> = {};
  for (const [field, { label }] of Object.entries(fields)) {
    given[field] = await ask(`${label} (hidden): `);
  }
  return given as unknown as StoredCredentials;
}

/**
 * Shows the account. If the account is live, the person must type its number.
 * @throws {TradeAgentError} `usage` if the number is wrong or missing
 */
export async function confirmAccount(
  { io, signal }: Pick<Context, 'io' | 'signal'>,
  { accountNumber, environment, status }: VerifiedAccount,
  given: string | undefined,
): Promise<void> {
  io.talk(`Account ${safeLine(accountNumber)}: ${environmentName(environment)}, ${safeLine(status)}`);
  if (environment === 'paper') return;
  const refused = (message: string) =>
    new TradeAgentError('usage', message, {
      hint: 'Type the account number, or pass it with --confirm-live. Nothing was written.',
    });
  if (given !== undefined) {
    if (given === accountNumber) return;
    throw refused(`--confirm-live does not match the account of these keys`);
  }
  if (!io.interactive) throw refused('these keys are for an account with REAL MONEY');
  io.talk(io.paint('stderr', ['red', 'bold'], 'These keys trade REAL MONEY.'));
  const typed = (await io.prompt(`Type the account number to continue (${accountNumber}): `, signal)).trim();
  if (typed !== accountNumber) throw refused('the account number does not match');
}
