import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ChallengeResponder } from '../../../../src/net/acme/challenge.ts';
import { freePort } from '../../../free-port.ts';
import { type RawRequest, rawBytes, sendRaw } from '../../home/raw-request.ts';
import { type Row, rowOf, said } from '../row.ts';

const HOST = 'home.example';
const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
const PATH = `/.well-known/acme-challenge/${TOKEN}`;
const PROOF = `${TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`;
/** Of the port, at once. */
const MOST_CONNECTIONS = 64;

/** Attacks on the port that a home opens to the internet, without encryption, while an authority looks at it. */
export async function certificateChallengeRows(): Promise<{ rows: Row[]; close: () => Promise<void> }> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const challenge = { host: HOST, token: TOKEN, keyAuthorization: PROOF };
  const finish = await new ChallengeResponder('http-01', { host: '127.0.0.1', port }).answer(challenge);
  let isOpen = true;
  const close = async () => {
    if (isOpen) await finish();
    isOpen = false;
  };
  const get = (changes: Partial<RawRequest> = {}): Buffer =>
    rawBytes({ method: 'GET', target: PATH, headers: [['host', HOST]], body: Buffer.alloc(0), ...changes });
  const sent = await sendRaw(address, get());
  if (!sent.text.includes(PROOF)) throw new Error('the authority itself is not answered');

  const of = rowOf('certificate challenges');
  const attack = (what: string, expected: string, bytes: Buffer): Row =>
    of(what, '', expected, async () => {
      const { status, text } = await sendRaw(address, bytes);
      return text.includes(PROOF) ? 'the proof' : said(status, text);
    });
  const targets: readonly (readonly [what: string, target: string])[] = [
    ['another page', '/'],
    ['the challenges’ folder', '/.well-known/acme-challenge/'],
    ['half of the token', PATH.slice(0, -10)],
    ['a token that was guessed', PATH.replace(TOKEN, 'A'.repeat(TOKEN.length))],
    ['more than the token', `${PATH}A`],
    ['the token with a question', `${PATH}?x=1`],
    ['the token, spelled otherwise', PATH.replace('eva', '%65va')],
    ['a file beside it', `${PATH}/../../../../etc/passwd`],
    ['the whole address, as of a proxy', `http://${HOST}${PATH}`],
    ['another machine, as of a proxy', 'http://127.0.0.1:1/'],
  ];
  const rows = [
    ...targets.map(([what, target]) => attack(what, '404', get({ target }))),
    attack('under another name', '404', get({ headers: [['host', 'evil.example']] })),
    attack('under its number', '404', get({ headers: [['host', '127.0.0.1']] })),
    attack('under no name', '400', get({ headers: [] })),
    attack(
      'under two names, the other one first',
      '404',
      get({
        headers: [
          ['host', 'evil.example'],
          ['host', HOST],
        ],
      }),
    ),
    attack(
      'with a body',
      '404',
      get({
        method: 'POST',
        headers: [
          ['host', HOST],
          ['content-length', '1'],
        ],
        body: Buffer.from('x'),
      }),
    ),
    attack('as a tunnel', 'closed', get({ method: 'CONNECT', target: `${HOST}:443` })),
    attack(
      'with two lengths of a body',
      '400',
      get({
        headers: [
          ['host', HOST],
          ['content-length', '1'],
          ['transfer-encoding', 'chunked'],
        ],
      }),
    ),
    attack(
      'with 20 KB of headers',
      '431',
      get({
        headers: [
          ['host', HOST],
          ['x', 'x'.repeat(20_000)],
        ],
      }),
    ),
    attack('what is not HTTP', '400', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])),
    of(`beyond ${MOST_CONNECTIONS} connections at once`, '', 'closed', async () => {
      const held: Socket[] = [];
      try {
        for (let index = 0; index < MOST_CONNECTIONS; index += 1) {
          const socket = connect(port, '127.0.0.1');
          held.push(socket);
          await once(socket, 'connect');
        }
        const { status, text } = await sendRaw(address, get());
        return said(status, text);
      } finally {
        for (const socket of held) socket.destroy();
      }
    }),
    of('after the authority has looked', '', 'ECONNREFUSED', async () => {
      await close();
      const socket = connect(port, '127.0.0.1');
      return await once(socket, 'connect').then(
        () => 'open',
        ({ code }: NodeJS.ErrnoException) => String(code),
      );
    }),
  ];
  return { rows, close };
}
