import { readFileSync } from 'node:fs';
import { resolveSmtpPort } from '../config/notice-channels.ts';
import { openSocket, UnreachableError } from '../net/outbound-client.ts';
import { NoticeFailedError, type NoticeFailureCode } from './notice.ts';
import type { SenderFactory } from './sender.ts';

const MAX_RESPONSE_BYTES = 64 * 1024;

/** Sends notices by SMTP. Unencrypted SMTP is allowed only to this machine, if configured explicitly. */
export const createEmailSender: SenderFactory<'email'> =
  (channel, password, { resolveMail }) =>
  async ({ id, title, body, severity }, signal) => {
    const { createTransport } = await import('nodemailer');
    const { host, security, user } = channel;
    const place = { host: host.replace(/^\[|\]$/g, ''), port: resolveSmtpPort(channel) };
    const transport = createTransport({
      ...place,
      // Opens the connection here because nodemailer would resolve the host name again, possibly to an address that was
      // not checked.
      getSocket: (_: unknown, done: (error: Error | null, opened?: object) => void) => {
        openSocket({ ...place, resolve: resolveMail, timeoutMs: channel.timeout * 1000, signal }).then(
          (connection) => done(null, { connection }),
          done,
        );
      },
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
      tls: {
        minVersion: 'TLSv1.2',
        ...(channel.ca_file === undefined ? {} : { ca: readCa(channel.ca_file) }),
      },
      connectionTimeout: channel.timeout * 1000,
      greetingTimeout: channel.timeout * 1000,
      socketTimeout: channel.timeout * 1000,
      socketCloseTimeout: 0,
      maxResponseSize: MAX_RESPONSE_BYTES,
      disableFileAccess: true,
      disableUrlAccess: true,
      logger: false,
    });
    try {
      await transport.sendMail({
        from: { name: 'trade-agent', address: channel.from },
        to: [...channel.to],
        subject: title,
        text: `${body}\n`,
        messageId: `<${id}@trade-agent.invalid>`,
        priority: severity === 'critical' ? 'high' : 'normal',
        // RFC 3834: prevents automatic replies.
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw smtpFailure(error, channel.host);
    } finally {
      transport.close();
    }
  };

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new NoticeFailedError(
      'unavailable',
      `the certificate file ${file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
  }
}

/** Describes an SMTP error without the server's text, which may repeat the credentials or the notice. */
function smtpFailure(error: unknown, host: string): NoticeFailedError {
  if (error instanceof NoticeFailedError) return error;
  if (error instanceof UnreachableError) {
    return new NoticeFailedError('unreachable', `the mail server ${host} can't be reached`, { passing: true });
  }
  const {
    code,
    originalCode = '',
    responseCode: status,
    command,
  } = error as {
    code?: string;
    /** The network error's code, which nodemailer may have replaced in `code`. */
    originalCode?: string;
    responseCode?: number;
    command?: string;
  };
  const said = status === undefined ? '' : ` (SMTP ${status})`;
  const passing = status === undefined || (status >= 400 && status < 500);
  const fail = (kind: NoticeFailureCode, what: string, passes = false) =>
    new NoticeFailedError(kind, `the mail server ${host} ${what}`, { passing: passes });
  if (/CERT|SSL|TLS|ISSUER|SIGNATURE/.test(originalCode) || code === 'ETLS' || code === 'EREQUIRETLS') {
    const why = codeWord(originalCode);
    return fail('insecure', `offers no trusted TLS connection${why}, so nothing was sent${said}`);
  }
  if (code === 'EAUTH') {
    return fail('not_authorized', `rejected the password${said}`, status !== undefined && passing);
  }
  if (code === 'ENOAUTH') return fail('refused', 'does not support sign-in');
  if (code === 'ETIMEDOUT') return fail('timeout', 'did not respond in time', true);
  if (code !== undefined && ['EENVELOPE', 'EMESSAGE', 'EPROTOCOL'].includes(code)) {
    return fail('refused', `rejected the message${said}`, passing);
  }
  if (status !== undefined) return fail('refused', `rejected ${commandWord(command)}${said}`, passing);
  return fail('unreachable', `can't be reached${codeWord(originalCode || code)}`, true);
}

const commandWord = (command: string | undefined) =>
  command !== undefined && /^[A-Z ]{2,12}$/.test(command) ? command : 'the message';

const codeWord = (code: string | undefined) => (code !== undefined && /^[A-Z_]{2,40}$/.test(code) ? ` (${code})` : '');
