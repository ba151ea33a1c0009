import { rawBytes, sendRaw } from '../../home/raw-request.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { named, type Route, routes } from '../routes.ts';
import { attackOn, type Row, said } from '../row.ts';

const area = 'gateway: requests';
const json = { 'content-type': 'application/json' };
/** A proposal's key is looked for before its body. */
const keyed = { 'idempotency-key': 'hostile' };

const bodies: readonly (readonly [what: string, expected: string | undefined, body: string | Buffer, type?: string])[] =
  [
    ['half of a JSON text', '400 malformed_json', '{"a":'],
    ['no JSON', '400 malformed_json', 'order me some shares'],
    ['two JSON texts', '400 malformed_json', '{}{}'],
    ['JSON with a comment', '400 malformed_json', '{/* 5 */}'],
    ['JSON with a comma too many', '400 malformed_json', '{"a":1,}'],
    ['NaN', '400 malformed_json', '{"a":NaN}'],
    ['bytes that are no UTF-8', '400 malformed_json', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['UTF-16', '400 malformed_json', Buffer.from('{"a":1}', 'utf16le')],
    ['half of a surrogate pair', '400 malformed_json', '{"a":"\\ud800"}'],
    ['half of a surrogate pair as a name', '400 malformed_json', '{"\\udc00":1}'],
    ['20,000 bytes', '413 body_too_large', `{"a":"${'x'.repeat(20_000)}"}`],
    ['8,000 brackets', '400 malformed_json', '['.repeat(8_000)],
    ['null', undefined, 'null'],
    ['a number', undefined, '7'],
    ['a text', undefined, '"order"'],
    ['a list', undefined, '[{}]'],
    ['a field that is not known', undefined, '{"__x":1}'],
    ['__proto__', undefined, '{"__proto__":{"kind":"order"}}'],
    ['constructor', undefined, '{"constructor":{"prototype":{}}}'],
  ];
const types = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
];

const strangePaths = [
  ...['/v1/orders/..%2f..%2fetc%2fpasswd', '/v1/orders/%00', '/v1/orders/a%20b', `/v1/orders/${'a'.repeat(65)}`],
  ...["/v1/orders/1'%20OR%20'1'='1", '/v1/orders/%ff', '/v1/orders/%e2%80%ae', '/v1/orders/*'],
  ...['/v1/proposals/..%2f..%2fetc%2fpasswd', '/v1/proposals/%00', '/v1/proposals/%ff', "/v1/proposals/'%20--"],
  ...['/v1/receipts/..%2f..%2fseed.json', '/v1/receipts/%00', '/v1/mandates/..%2fx', '/v1/mandates/%00'],
  ...['/v1/messages/..%2fx', '/v1/messages/%00', '/v1/nothing', '/v1', '/v1/', '/v1/orders/', '/v1//orders'],
  ...['/V1/orders', '/v1/Orders', '/v1/orders;a=b', '/v2/orders', '/v1/orders/x/y', '/v1/proposals/x/approve'],
  ...['/v1/%6frders%2f', '/v1/account/..%2forders', '/seed.json', '/.env', '/.git/config'],
];

const queries: readonly (readonly [what: string, path: string])[] = [
  ['a parameter twice', '/v1/account?account=A&account=B'],
  ['a parameter that is not known', '/v1/account?sub=bob'],
  ['__proto__', '/v1/account?__proto__=x'],
  ['an account that is no ASCII', '/v1/account?account=%c3%84'],
  ['an account of 65 characters', `/v1/account?account=${'A'.repeat(65)}`],
  ['an empty owner', '/v1/account?for='],
  ['an owner twice', '/v1/account?for=alice&for=bob'],
  ['no symbols', '/v1/quotes'],
  ['an empty symbol', '/v1/quotes?symbols='],
  ['a symbol with a path in it', '/v1/quotes?symbols=..%2fx'],
  ['a symbol of Cyrillic letters', '/v1/quotes?symbols=%d0%90APL'],
  ['500 symbols', `/v1/quotes?symbols=${Array.from({ length: 500 }, (_, i) => `A${i}`).join(',')}`],
  ['a limit of 0', '/v1/orders?limit=0'],
  ['a limit below 0', '/v1/orders?limit=-1'],
  ['a limit with an exponent', '/v1/orders?limit=1e2'],
  ['a limit beyond the most', '/v1/orders?limit=501'],
  ['a limit that is a list', '/v1/orders?limit[]=1'],
  ['a state that there is none of', '/v1/orders?status=any'],
  ['an effect that there is none of', '/v1/decisions?effect=maybe'],
  ['a proposal’s key with a line break', '/v1/proposals?key=a%0ab'],
  ['a wait of an hour', '/v1/proposals/nothing?wait=3600'],
  ['a wait below 0', '/v1/proposals/nothing?wait=-1'],
  ['a wait that is no number', '/v1/proposals/nothing?wait=x'],
  ['an id with a path in it', '/v1/orders:by_client_order_id?client_order_id=..%2fx'],
  ['no id', '/v1/orders:by_client_order_id'],
  ['a day that is in no calendar', '/v1/calendar?start=2026-02-30&end=2026-03-01'],
  ['a parameter where there is none', '/v1/receipts/x?as=bob'],
];

const heads: readonly (readonly [what: string, expected: string, headers: Record<string, string>])[] = [
  ['Host: evil.example', '421', { host: 'evil.example' }],
  ['Host: a name that ends alike', '421', { host: 'localhost.evil.example' }],
  ['Host: with a user', '421', { host: 'localhost@evil.example' }],
  ['Host: an open bracket', '421', { host: '[' }],
  ['Host: another port', '421', { host: 'localhost:1' }],
];

export function requestRows(hostile: HostileWorld): Row[] {
  const send = (route: Pick<Route, 'method' | 'path'>, attempt: Parameters<HostileWorld['send']>[2]) =>
    hostile.send(route.method, route.path, attempt);
  const of = attackOn(area);
  const rows: Row[] = [];
  for (const route of routes.filter(({ invalid }) => invalid !== undefined)) {
    // An approval is looked for before what is sent under it.
    const mint = route.path === '/v1/orders' ? { claims: hostile.approval(hostile.draft()) } : {};
    for (const [what, expected, body] of bodies) {
      // To stop trading takes no word: a body of nothing is none.
      if (route.path === '/v1/halt' && body === 'null') continue;
      rows.push(
        of(`a body: ${what}`, named(route), expected ?? route.invalid ?? '', () =>
          send(route, { mint, body, headers: { ...json, ...keyed } }),
        ),
      );
    }
    // A halt takes no word of what to stop, and so no word of its body's type.
    if (route.path === '/v1/halt') continue;
    for (const type of types) {
      rows.push(
        of(`a body: said to be ${type}`, named(route), '415 unsupported_media_type', () =>
          send(route, { body: '{}', headers: { ...keyed, 'content-type': type } }),
        ),
      );
    }
  }
  for (const path of strangePaths) {
    rows.push({
      ...{
        area,
        what: 'an address of nothing',
        at: `GET ${path.replace(/a{20,}/, 'aaa…')}`,
        expected: '404',
      },
      attack: async () => String((await send({ method: 'GET', path }, {})).status),
    });
  }
  for (const [what, path] of queries) {
    rows.push(
      of(`a query: ${what}`, `GET ${path.replace(/\?.*$/, '')}`, '400 invalid_query', () =>
        send({ method: 'GET', path }, {}),
      ),
    );
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    rows.push(
      of('a method that it has not', `${method} /v1/account`, '404 not_found', () =>
        send({ method, path: '/v1/account' }, {}),
      ),
    );
  }
  for (const [what, expected, headers] of heads) {
    for (const path of ['/v1/clock', '/v1/orders', '/phone', '/token', '/mcp']) {
      rows.push({
        ...{ area, what, at: `GET ${path}`, expected },
        async attack() {
          const all = { headers: Object.entries(headers), body: Buffer.alloc(0) };
          const bytes = rawBytes({ method: 'GET', target: path, ...all });
          const { status, text } = await sendRaw(hostile.gateway, bytes);
          return said(status, text.slice(text.indexOf('\r\n\r\n') + 4));
        },
      });
    }
  }
  return rows;
}
