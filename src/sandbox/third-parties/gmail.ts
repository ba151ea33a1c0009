import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { dropConnection } from '../paper-broker/routes/drop-connection.ts';
import { readBearerToken, type StandInOptions } from './stand-in.ts';

export const GMAIL_SEND_SCOPE = 'https://www.googleapis.com/auth/gmail.send';

/** Implements Gmail's `users.messages.send`, with Google's error format. */
export function gmailApi({ tokens, outbox, now, faults }: StandInOptions): Hono {
  const app = new Hono();
  app.use('/gmail/v1/*', bodyLimit({ maxSize: 256 * 1024 }));

  app.post('/gmail/v1/users/:user/messages/send', async (context) => {
    const grant = tokens.accessToken(readBearerToken(context) ?? '');
    if (grant === undefined) return gmailError(context, 401, 'UNAUTHENTICATED', 'authError', 'Invalid Credentials');
    const denied = (reason: string, message: string) => gmailError(context, 403, 'PERMISSION_DENIED', reason, message);
    if (!grant.scopes.includes(GMAIL_SEND_SCOPE))
      return denied('insufficientPermissions', 'Request had insufficient authentication scopes.');
    if (context.req.param('user') !== 'me') return denied('forbidden', `Delegation denied for ${grant.username}`);
    const { raw }: { raw?: unknown } = await context.req.json().catch(() => ({}));
    const mail = typeof raw === 'string' ? parseMail(Buffer.from(raw, 'base64url').toString()) : undefined;
    const invalid = (message: string) => gmailError(context, 400, 'INVALID_ARGUMENT', 'invalidArgument', message);
    if (mail === undefined)
      return invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required");
    if (!/^[^\s@,]+@[^\s@,]+$/.test(mail.to)) return invalid('Invalid To header');
    const mails = `${outbox.all().length} ${grant.username}`;
    const id = createHash('sha256').update(mails).digest('hex').slice(0, 16);
    const sent_at = new Date(now()).toISOString();
    const { to: recipient, subject, text } = mail;
    outbox.add({ service: 'gmail', user: grant.username, recipient, subject, text, service_id: id, sent_at });
    if (faults.take('message_timeout_after_accept')) return dropConnection(context);
    return context.json({ id, threadId: id, labelIds: ['SENT'] });
  });

  app.all('/gmail/v1/*', (context) => gmailError(context, 404, 'NOT_FOUND', 'notFound', 'Not Found'));
  return app;
}

function gmailError(
  context: Context,
  code: 400 | 401 | 403 | 404,
  status: string,
  reason: string,
  message: string,
): Response {
  const errors = [{ message, domain: 'global', reason }];
  return context.json({ error: { code, message, errors, status } }, code);
}

/**
 * Parses the parts of a plain-text mail (RFC 5322, 2045, 2047) that the stand-in needs. Returns undefined for any other
 * mail, including mail with repeated headers.
 */
export function parseMail(raw: string) {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headers = new Map<string, string>();
  const head = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  for (const line of head.split('\r\n')) {
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase())) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  const type = headers.get('content-type') ?? 'text/plain; charset=us-ascii';
  if (!/^text\/plain\b/i.test(type)) return undefined;
  const body = raw.slice(end + 4);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? '7bit';
  const text = encoding === 'base64' ? Buffer.from(body, 'base64').toString() : body;
  return {
    to: headers.get('to') ?? '',
    subject: decodedWords(headers.get('subject') ?? ''),
    text: text.replaceAll('\r\n', '\n'),
  };
}

/** Decodes encoded words and drops the space between two encoded words (RFC 2047 §6.2). */
function decodedWords(text: string): string {
  return text
    .replace(/(\?=)[ \t]+(=\?)/g, '$1$2')
    .replace(/=\?utf-8\?B\?([A-Za-z0-9+/=]*)\?=/gi, (_, encoded: string) => Buffer.from(encoded, 'base64').toString());
}
