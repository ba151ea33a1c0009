import { randomBytes } from 'node:crypto';
import { plainRequest } from '../../plain-request.ts';
import { openWebWorld } from '../../web/web-world.ts';
import { type Row, rowOf, said } from '../row.ts';

const ORDER = 'buy 1 KO limit 20 gtc';
const actions = ['send', 'stop', 'resume', 'withdraw'] as const;
const newKey = () => randomBytes(32).toString('base64url');

/** Attacks on `trade-agent web`, by whoever can send a request to its port while its owner has the page open. */
export async function chatPageRows(): Promise<{ rows: Row[]; close: () => Promise<void> }> {
  const world = await openWebWorld();
  const { origin, secret } = await world.web();
  const ask = (path: string, asked: Parameters<typeof plainRequest>[1]) => plainRequest(new URL(path, origin), asked);
  const key = newKey();
  const opened = await ask('/open', { headers: { 'x-phone-key': key, origin }, form: { secret } });
  const [cookie = ''] = String(opened.headers['set-cookie']).split(';');
  const owner = { 'x-phone-key': key, cookie };
  const page = await ask('/chat', { headers: owner });
  const [, token = ''] = /data-token="([\w-]+)"/.exec(page.text) ?? [];
  if (token === '') throw new Error('the owner was not let in');

  const of = rowOf('chat page');
  const rows: Row[] = [];
  const attack = (what: string, at: string, expected: string, asked: Parameters<typeof plainRequest>[1]) =>
    rows.push(
      of(what, at, expected, async () => {
        const [method = '', path = ''] = at.split(' ');
        const { status, text } = await ask(path, { method, ...asked });
        return said(status, text);
      }),
    );
  const foreign: readonly (readonly [what: string, expected: string, headers: Record<string, string>])[] = [
    ['by a name that was pointed at this machine', '421', { ...owner, host: 'evil.example' }],
    ['from another site’s page', '403', { ...owner, 'sec-fetch-site': 'cross-site' }],
    ['from another port’s page', '403', { ...owner, origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
  ];
  const stream = 'GET /chat/events';
  for (const [what, expected, headers] of foreign) attack(what, stream, expected, { headers });
  attack('with a key of one’s own', stream, '401', { headers: { 'x-phone-key': newKey() } });
  attack('with the page’s key, without its cookie', stream, '401', { headers: { 'x-phone-key': key } });
  attack('with the page’s cookie and another key', stream, '401', { headers: { cookie, 'x-phone-key': newKey() } });

  for (const action of actions) {
    const at = `POST /chat/${action}`;
    const form = { form_token: token, text: ORDER, thread: 'th_0000000000', id: 'p_0000000000' };
    for (const [what, expected, headers] of foreign) attack(what, at, expected, { headers, form });
    attack('with the page’s cookie alone', at, '403', { headers: { cookie }, form });
    attack('with a key of one’s own', at, '403', { headers: { 'x-phone-key': newKey() }, form });
    attack('with the page’s cookie and another key', at, '403', { headers: { cookie, 'x-phone-key': newKey() }, form });
    attack('without the form’s token', at, '403', { headers: owner, form: { ...form, form_token: '' } });
    attack('with another form’s token', at, '403', { headers: owner, form: { ...form, form_token: newKey() } });
    attack('with more than 16 KiB', at, '413', { headers: owner, form: { ...form, text: 'x'.repeat(17 * 1024) } });
    attack('by a method that browsers don’t ask about', at, '405', { method: 'PUT', headers: owner, form });
  }
  attack('with the link that its owner has used', 'POST /open', '403', {
    headers: { 'x-phone-key': newKey() },
    form: { secret },
  });
  attack('with a link that was guessed', 'POST /open', '403', {
    headers: { 'x-phone-key': newKey() },
    form: { secret: newKey() },
  });
  rows.push(
    of('after all of these: conversations, requests, orders', '', '0, 0, 0', async () => {
      const { threads } = (await world.json('threads')).body;
      const { approvals } = (await world.json('approvals')).body;
      return `${threads.length}, ${approvals.length}, ${world.ordersAtBroker()}`;
    }),
  );
  return { rows, close: () => world.close() };
}
