import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { dropConnection } from '../paper-broker/routes/drop-connection.ts';
import { readBearerToken, type StandInOptions } from './stand-in.ts';

const SLACK_CHANNELS = ['#general', '#trading', '#random'] as const;

/**
 * Implements Slack's `chat.postMessage` for JSON and form-encoded requests, with Slack's responses (always 200, with
 * `ok` and `error`) and its handling of `&amp;`, `&lt;`, `&gt;` and `<!channel>`.
 */
export function slackApi({ tokens, outbox, now, faults }: StandInOptions): Hono {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: 256 * 1024 }));

  app.post('/api/chat.postMessage', async (context) => {
    const fields = await readArguments(context);
    const token = readBearerToken(context);
    const refuse = (error: string) => context.json({ ok: false, error });
    if (token === undefined) return refuse('not_authed');
    const grant = tokens.accessToken(token);
    if (grant === undefined) return refuse('invalid_auth');
    if (!grant.scopes.includes('chat:write')) return refuse('missing_scope');
    const { channel: given, text } = fields;
    const name = findChannel(given);
    if (name === undefined) return refuse('channel_not_found');
    if (typeof text !== 'string' || text === '') return refuse('no_text');
    if (text.length > 40_000) return refuse('msg_too_long');

    const at = now();
    const count = outbox.all().length + 1;
    const ts = `${Math.floor(at / 1000)}.${String(count).padStart(6, '0')}`;
    const shown = toReadableText(text);
    outbox.add({
      service: 'slack',
      user: grant.username,
      recipient: name,
      subject: null,
      text: shown,
      service_id: ts,
      sent_at: new Date(at).toISOString(),
    });
    if (faults.take('message_timeout_after_accept')) return dropConnection(context);
    const user = slackId('U', grant.username);
    return context.json({
      ok: true,
      channel: slackId('C', name),
      ts,
      message: { type: 'message', user, text, ts, team: slackId('T', 'sandbox') },
    });
  });

  app.all('/api/*', (context) => context.json({ ok: false, error: 'unknown_method' }));
  return app;
}

async function readArguments(context: Context): Promise<Record<string, unknown>> {
  const type = context.req.header('content-type') ?? '';
  if (type.startsWith('application/json')) {
    return context.req.json<Record<string, unknown>>().catch(() => ({}));
  }
  return Object.fromEntries(new URLSearchParams(await context.req.text()));
}

function findChannel(given: unknown): string | undefined {
  return SLACK_CHANNELS.find((name) => given === name || given === name.slice(1) || given === slackId('C', name));
}

function slackId(kind: 'C' | 'U' | 'T', name: string): string {
  return `${kind}${createHash('sha256').update(`${kind} ${name}`).digest('hex').slice(0, 10).toUpperCase()}`;
}

/** Returns the text as readers see it. Marks mentions, so that tests can detect them. */
function toReadableText(text: string): string {
  return text
    .replace(/<!(channel|here|everyone)>/g, '[calls @$1]')
    .replace(/<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>/g, '[link $1 $2]')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
