// For preloads (NODE_OPTIONS=--import) of a program under test. The program as it is shipped sends nothing that a stranger
// names to its own machine; these origins are answered there all the same.
import { Resolver } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

/** @param targets by origin (`https://push.example.com`), where it is answered (`http://127.0.0.1:1234`) */
export function answerAtHand(targets) {
  const hosts = Object.keys(targets).map((origin) => new URL(origin).hostname);
  const { resolve4, resolve6 } = Resolver.prototype;
  // One that counts as outside, as those that are kept for documentation don't; nothing is sent there.
  Resolver.prototype.resolve4 = async function (host, ...rest) {
    return hosts.includes(host) ? ['8.8.8.8'] : await resolve4.call(this, host, ...rest);
  };
  Resolver.prototype.resolve6 = async function (host, ...rest) {
    return hosts.includes(host) ? [] : await resolve6.call(this, host, ...rest);
  };
  const { request } = https;
  https.request = (to, options, ...rest) => {
    const url = URL.parse(String(to));
    const target = url === null ? undefined : targets[url.origin];
    if (target === undefined) return request(to, options, ...rest);
    const { lookup: _, headers, ...others } = options;
    const at = new URL(url.pathname + url.search, target);
    return http.request(at, { ...others, headers: { ...headers, host: url.host } }, ...rest);
  };
  syncBuiltinESMExports();
}
