import { describe, expect, it } from 'vitest';
import { type OutboundPath, outboundPaths } from './outbound-paths.ts';
import { programSources, type Source } from './sources.ts';

/** What a file needs that opens connections, or sends requests by a `fetch` that it was given. */
const signs = [
  /\bfetch\(/,
  /typeof (globalThis\.)?fetch\b/,
  /\b(createRemoteJWKSet|customFetch|dispatchFetch|ownerLookup|createPublicFetch|openSocket|createReferenceFetch)\b/,
  /\b(import\(|from )'(ws|nodemailer|web-push|pg|pg-boss|undici|@langchain\/openai|@modelcontextprotocol\/client[^']*)'/,
  /import (?!type)[^;]*\b(connect|createConnection|request|get|lookup|resolve[46]?|Resolver|Agent|createSocket)\b[^;]*from 'node:(net|tls|https?|http2|dns|dns\/promises|dgram)'/,
];

/** Returns the files that can reach the network, but for the client itself and for what runs in a browser. */
function senders(sources: readonly Source[]): string[] {
  const own = sources.filter(({ file }) => !/^src\/(net|home\/phone\/web)\//.test(file));
  const code = (text: string) => text.replace(/^\s*(\/\/|\/?\*).*$/gm, '');
  return own.filter(({ text }) => signs.some((sign) => sign.test(code(text)))).map(({ file }) => file);
}

const paths: Readonly<Record<string, OutboundPath>> = outboundPaths;
const listed = new Set(Object.values(paths).flatMap(({ files }) => files.map((file) => `src/${file}`)));

describe('the house', () => {
  it('sends nothing by a way that test/unit/house/outbound-paths.ts does not list', () => {
    const found = senders(programSources());
    expect(found.length).toBeGreaterThan(80);
    expect(found.filter((file) => !listed.has(file))).toEqual([]);
    expect([...listed].filter((file) => !found.includes(file))).toEqual([]);
  });
});

describe('the test of it sees', () => {
  it.each([
    ['a request', `await fetch('https://x.dev');`],
    ['a client that is given', `export const a = (send: typeof fetch) => send('https://x.dev');`],
    ['a socket', `import { connect } from 'node:net';`],
    ['a socket among others', `import {\n  type Socket,\n  connect,\n} from 'node:tls';`],
    ['a request of Node’s', `import { request as send } from 'node:https';`],
    ['a name that is resolved', `import { lookup } from 'node:dns/promises';`],
    ['a library that connects', `const { WebSocket } = await import('ws');`],
    ['another one', `import pg from 'pg';`],
    ['keys from elsewhere', `createRemoteJWKSet(new URL(a));`],
  ])('%s', (_, text) => {
    expect(senders([{ file: 'src/gateway/a.ts', text }])).toEqual(['src/gateway/a.ts']);
  });

  it.each([
    `import type { Socket } from 'node:net';`,
    `import { isIP } from 'node:net';`,
    `import { createServer } from 'node:http';`,
    `// Calls fetch() elsewhere.`,
    `const prefetch = 1;`,
  ])('nothing in %s', (text) => {
    expect(senders([{ file: 'src/gateway/a.ts', text }])).toEqual([]);
  });
});
