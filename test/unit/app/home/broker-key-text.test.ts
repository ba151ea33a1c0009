import { expect, it } from 'vitest';
import { parseCredentialsText } from '../../../../src/app/home/brokers.ts';

const pair = { keyId: 'PKTEST1234', secret: 'a/secret+of=theirs' };

it.each([
  ['two lines', 'PKTEST1234\na/secret+of=theirs\n'],
  ['two lines from Windows, with a comment', '# paper\r\nPKTEST1234\r\n\r\na/secret+of=theirs\r\n'],
  ['names', 'secret=a/secret+of=theirs\nkey=PKTEST1234'],
  [
    'the names of Alpaca’s tools',
    'export APCA_API_KEY_ID="PKTEST1234"\nexport APCA_API_SECRET_KEY=\'a/secret+of=theirs\'\n',
  ],
  ['the names of its headers', 'APCA-API-KEY-ID: PKTEST1234\nAPCA-API-SECRET-KEY: a/secret+of=theirs\n'],
])('a key pair is read from %s', (_, text) => {
  expect(parseCredentialsText(text, 'keys.txt', 'key_pair')).toEqual(pair);
});

it.each([
  ['one line', 'PKTEST1234'],
  ['three', 'PKTEST1234\nsecret\nmore'],
  ['the id alone', 'key=PKTEST1234'],
  ['nothing', ''],
])('of %s it says what is missing, and shows nothing of it', (_, text) => {
  expect(() => parseCredentialsText(text, 'keys.txt', 'key_pair')).toThrowError(/^keys\.txt contains no key pair$/);
});
