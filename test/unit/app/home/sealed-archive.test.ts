import { expect, it } from 'vitest';
import { openArchive, sealArchive } from '../../../../src/app/home/backup.ts';

const passphrase = 'amber bison cedar delta';
const archive = {
  createdAt: '2026-11-26T06:00:00.000Z',
  address: 'https://home.example',
  files: new Map([
    ['home.yaml', Buffer.from('address: https://home.example\n')],
    ['gateway.db', Buffer.from([0, 255, 10, 13, 128])],
  ]),
};
const sealed = await sealArchive(archive, passphrase);
const failure = (bytes: Buffer, by = passphrase) =>
  openArchive(bytes, by, 'home.backup').then(
    () => 'opened',
    ({ code, message, hint }) => `${code}: ${message} ${hint}`,
  );

it('gives back what was sealed, byte for byte, also under a passphrase typed in another form', async () => {
  const opened = await openArchive(sealed, passphrase, 'home.backup');
  expect(opened).toEqual(archive);
  const accented = await sealArchive(archive, 'caf\u00e9 caf\u00e9 caf\u00e9');
  expect((await openArchive(accented, 'cafe\u0301 cafe\u0301 cafe\u0301', 'x')).address).toBe(archive.address);
});

it('shows nothing of what it holds', () => {
  const shown = sealed.toString('latin1');
  expect(shown).not.toContain('home.example');
  expect(JSON.parse(shown.split('\n', 1)[0] ?? '')).toMatchObject({
    kdf: 'scrypt',
    n: 131_072,
    cipher: 'aes-256-gcm',
  });
});

const at = (index: number) => {
  const changed = Buffer.from(sealed);
  const place = index < 0 ? changed.length + index : index;
  changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
  return changed;
};
const headed = (change: (header: Record<string, unknown>) => void) => {
  const end = sealed.indexOf(10);
  const header = JSON.parse(sealed.subarray(0, end).toString()) as Record<string, unknown>;
  change(header);
  return Buffer.concat([Buffer.from(JSON.stringify(header)), sealed.subarray(end)]);
};

it.each([
  ['another passphrase', () => sealed, 'amber bison cedar delts', "usage: home.backup can't be decrypted"],
  ['a changed last byte', () => at(-1), passphrase, "usage: home.backup can't be decrypted"],
  [
    'a changed byte in the middle',
    () => at(sealed.indexOf(10) + 20),
    passphrase,
    "usage: home.backup can't be decrypted",
  ],
  ['a byte less', () => sealed.subarray(0, -1), passphrase, "usage: home.backup can't be decrypted"],
  [
    'another salt',
    () =>
      headed((header) => {
        header.salt = Buffer.alloc(16).toString('base64url');
      }),
    passphrase,
    "can't be decrypted",
  ],
  [
    'a weaker derivation',
    () =>
      headed((header) => {
        header.n = 2;
      }),
    passphrase,
    'invalid_config: home.backup is not a home backup',
  ],
  [
    'a derivation that takes all memory',
    () =>
      headed((header) => {
        header.n = 2 ** 30;
      }),
    passphrase,
    'is not a home backup',
  ],
  [
    'a later version',
    () =>
      headed((header) => {
        header.format = 'trade-agent.home-backup/2';
      }),
    passphrase,
    'that this version can read',
  ],
  ['an empty file', () => Buffer.alloc(0), passphrase, 'is not a home backup'],
  ['another file', () => Buffer.from('PK\u0003\u0004'.repeat(400)), passphrase, 'is not a home backup'],
])('does not open with %s, and says so', async (_, bytes, by, says) => {
  expect(await failure(bytes(), by)).toContain(says);
});
