import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrivateFile } from '../../../../src/machine/private-file.ts';
import { openFileStore } from '../../../../src/secrets/file/file-store.ts';
import {
  createPassphraseKeys,
  type KeyDerivation,
  type PassphraseSource,
} from '../../../../src/secrets/file/passphrase-keys.ts';
import { createPassphraseSource } from '../../../../src/secrets/file/passphrase-source.ts';

const SECRET = 'planted-secret-77aa';
const PASSPHRASE = 'correct horse battery staple';
const LOCKED = 'credential_store_locked';
const UNAVAILABLE = 'credential_store_unavailable';

const unavailable = (message: string) => ({
  code: UNAVAILABLE,
  message: expect.stringContaining(message),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-passphrase-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, 'credentials-work.passphrase.json');
const sealed = () => JSON.parse(readFileSync(file(), 'utf8'));

/** Says these in turn, then nothing more. */
function saying(...answers: string[]): PassphraseSource & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    isPerson: true,
    async read(purpose) {
      asked.push(purpose);
      return answers[asked.length - 1] ?? '';
    },
  };
}

/** Quick, and counted: what scrypt itself makes is not what these tests are about. */
function counted() {
  const calls: string[] = [];
  const derive: KeyDerivation = async (passphrase, parameters) => {
    calls.push(passphrase);
    const hash = createHash('sha512')
      .update(JSON.stringify([passphrase, parameters]))
      .digest();
    return hash.subarray(0, 48);
  };
  return { calls, derive };
}

const open = (source: PassphraseSource = saying(PASSPHRASE), derive = counted().derive) =>
  openFileStore({ folder, profile: 'work', key: { passphrase: createPassphraseKeys(source, derive) } });

/** Changes the file as somebody would who can make its checksum right again. */
function forge(change: (file: { data: string; key: { scrypt: object } }) => object) {
  const { sum: _, ...changed } = { ...sealed(), ...change(sealed()) };
  const { key, iv, tag, data } = changed;
  const sum = createHash('sha256')
    .update(JSON.stringify([key, iv, tag, data]))
    .digest('base64');
  writeFileSync(file(), JSON.stringify({ ...changed, sum }));
}

describe('a credential file under a passphrase', () => {
  it('is opened by it in another process, with scrypt at its real cost', async () => {
    const keys = () => ({ passphrase: createPassphraseKeys(saying(PASSPHRASE)) });
    await openFileStore({ folder, profile: 'work', key: keys() }).set({ refresh_token: SECRET });
    const again = openFileStore({ folder, profile: 'work', key: keys() });
    expect(await again.get(['refresh_token', 'session'])).toEqual({ refresh_token: SECRET });
    expect(sealed().key).toMatchObject({ kind: 'passphrase', scrypt: { N: 131_072, r: 8, p: 1 } });
    const text = readFileSync(file(), 'utf8');
    for (const secret of [SECRET, PASSPHRASE]) expect(text).not.toContain(secret);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(existsSync(join(folder, 'credentials-work.key'))).toBe(false);
  });

  it('asks for nothing while there is no file, and then for a new one, once a process', async () => {
    const source = saying(PASSPHRASE);
    const { calls, derive } = counted();
    const store = open(source, derive);
    expect(await store.get(['refresh_token'])).toEqual({});
    expect(await store.delete(['refresh_token'])).toBe(true);
    expect(source.asked).toEqual([]);
    await Promise.all([store.unlock(), store.probe(), store.set({ session: 'x' })]);
    await store.set({ refresh_token: SECRET });
    await store.get(['refresh_token']);
    expect(source.asked).toEqual(['new']);
    expect(calls).toHaveLength(1);
  });

  it('derives its key once a process', async () => {
    await open().set({ refresh_token: SECRET });
    const { calls, derive } = counted();
    const source = saying(PASSPHRASE);
    const store = open(source, derive);
    await Promise.all([store.get(['session']), store.get(['refresh_token']), store.unlock()]);
    await store.set({ session: 'x' });
    await store.probe();
    expect(calls).toHaveLength(1);
    expect(source.asked).toEqual(['open']);
  });

  it('tells a wrong passphrase from a damaged file, and overwrites neither', async () => {
    await open().set({ refresh_token: SECRET });
    const before = readFileSync(file(), 'utf8');
    const wrong = { code: LOCKED, message: `wrong passphrase for ${file()}` };
    const attempts = () => saying('wrong one, surely', 'wrong two, surely', 'wrong three, surely');
    await expect(open(attempts()).get(['refresh_token'])).rejects.toMatchObject(wrong);
    await expect(open(attempts()).set({ session: 'x' })).rejects.toMatchObject(wrong);
    await expect(open(attempts()).probe()).rejects.toMatchObject(wrong);
    expect(readFileSync(file(), 'utf8')).toBe(before);

    for (const damage of [/"data":"../, /"salt":"../, /"check":"../, /"tag":"../, /"iv":"../]) {
      writeFileSync(
        file(),
        before.replace(damage, (found) => `${found.slice(0, -2)}${found.endsWith('AA') ? 'BB' : 'AA'}`),
      );
      const source = saying(PASSPHRASE);
      await expect(open(source).get(['refresh_token'])).rejects.toMatchObject(unavailable(' is damaged'));
      // Nobody is made to type a passphrase for what can't be opened.
      expect(source.asked).toEqual([]);
    }
  });

  it('says damaged, not wrong, where somebody changed it and its checksum', async () => {
    await open().set({ refresh_token: SECRET });
    forge(({ data }) => ({ data: Buffer.from(data, 'base64').fill(1).toString('base64') }));
    await expect(open().get(['refresh_token'])).rejects.toMatchObject(unavailable(' is damaged'));
  });

  it.each([
    ['a terabyte of memory', { N: 2 ** 30, r: 8, p: 1 }],
    ['a thousand rounds', { N: 2 ** 17, r: 8, p: 1000 }],
    ['wide blocks', { N: 2 ** 17, r: 4096, p: 1 }],
    ['next to no work', { N: 2, r: 8, p: 1 }],
    ['a short salt', { salt: 'AAAA' }],
  ])('that asks for %s is refused before anything is asked or computed', async (_, parameters) => {
    await open().set({ refresh_token: SECRET });
    forge(({ key }) => ({
      key: { ...key, scrypt: { ...key.scrypt, ...parameters } },
    }));
    const { calls, derive } = counted();
    const source = saying(PASSPHRASE);
    await expect(open(source, derive).get(['refresh_token'])).rejects.toMatchObject({
      code: UNAVAILABLE,
      details: { state: 'hostile_parameters' },
    });
    expect([...calls, ...source.asked]).toEqual([]);
  });

  it('takes the right passphrase at the third try, and no fourth', async () => {
    await open().set({ refresh_token: SECRET });
    const third = saying('wrong one, surely', 'wrong two, surely', PASSPHRASE);
    expect(await open(third).get(['refresh_token'])).toEqual({ refresh_token: SECRET });
    const fourth = saying('wrong one, surely', 'wrong two, surely', 'wrong three, surely', PASSPHRASE);
    await expect(open(fourth).get(['refresh_token'])).rejects.toMatchObject({ code: LOCKED });
    expect(fourth.asked).toHaveLength(3);
  });

  it('is the same passphrase however the keyboard composes its letters', async () => {
    await open(saying('gro\u00df und \u00fcbergro\u00df')).set({ refresh_token: SECRET });
    const decomposed = saying('gro\u00df und u\u0308bergro\u00df');
    expect(await open(decomposed).get(['refresh_token'])).toEqual({ refresh_token: SECRET });
  });

  it('is not made with a short passphrase', async () => {
    await expect(open(saying('hunter2')).set({ session: 'x' })).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(file())).toBe(false);
  });

  it('loses no write when several processes write at once', async () => {
    const names = ['session', 'refresh_token', 'access_token', 'dpop_key', 'company_key'] as const;
    await Promise.all(names.map((name) => open().set({ [name]: name })));
    expect(await open().get(names)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  });

  it('whose key is in a file after all is refused: nobody may weaken it unseen', async () => {
    const plain = openFileStore({ folder, profile: 'work' });
    await plain.set({ refresh_token: 'planted by somebody' });
    writeFileSync(file(), readFileSync(join(folder, 'credentials-work.json')), { mode: 0o600 });
    await expect(open().get(['refresh_token'])).rejects.toMatchObject(unavailable('uses another kind of key'));
  });

  it.each([['credentials-work.passphrase.json'], ['credentials-work.json'], ['credentials-work.key']])(
    'is not read through a symbolic link (%s)',
    async (name) => {
      const store = () => (name.includes('passphrase') ? open() : openFileStore({ folder, profile: 'work' }));
      await store().set({ refresh_token: SECRET });
      const moved = join(folder, 'elsewhere');
      writeFileSync(moved, readFileSync(join(folder, name)), { mode: 0o600 });
      rmSync(join(folder, name));
      symlinkSync(moved, join(folder, name));
      const refusal = unavailable('it is a symbolic link');
      await expect(store().get(['refresh_token'])).rejects.toMatchObject(refusal);
      await expect(store().set({ refresh_token: 'x' })).rejects.toMatchObject(refusal);
    },
  );

  it('is refused while others may read it', async () => {
    await open().set({ refresh_token: SECRET });
    chmodSync(file(), 0o644);
    await expect(open().get(['refresh_token'])).rejects.toMatchObject(unavailable('other users can read'));
  });
});

describe('a passphrase', () => {
  const source = (env: NodeJS.ProcessEnv, ask?: (question: string) => Promise<string>) =>
    createPassphraseSource(env, ask);
  const written = (text: string, mode = 0o600) => {
    const path = join(folder, 'passphrase');
    writeFileSync(path, text, { mode });
    return path;
  };

  it('is asked for on a terminal: once to open, twice for a new file', async () => {
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return PASSPHRASE;
    };
    expect(await source({}, ask).read('open', 'work')).toBe(PASSPHRASE);
    expect(await source({}, ask).read('new', 'work')).toBe(PASSPHRASE);
    expect(questions).toEqual([
      'Passphrase for profile work (not shown): ',
      'New passphrase for the credentials of profile work (not shown): ',
      'Enter the passphrase again: ',
    ]);
  });

  it('that was typed in two ways is not used', async () => {
    let typed = 0;
    const ask = async () => `${PASSPHRASE} ${typed++}`;
    await expect(source({}, ask).read('new', 'work')).rejects.toMatchObject({ code: 'usage' });
  });

  it('comes from a file that the environment names, before anybody is asked', async () => {
    const env = { TRADE_AGENT_PASSPHRASE_FILE: written(`${PASSPHRASE}\n`) };
    const ask = () => Promise.reject(new Error('asked'));
    expect(await source(env, ask).read('open', 'work')).toBe(PASSPHRASE);
  });

  it('comes from an open descriptor, which is read once', async () => {
    const handle = openSync(written(PASSPHRASE), 'r');
    try {
      const from = source({ TRADE_AGENT_PASSPHRASE_FILE: `fd:${handle}` });
      expect([await from.read('open', 'work'), await from.read('open', 'work')]).toEqual([PASSPHRASE, PASSPHRASE]);
    } finally {
      closeSync(handle);
    }
  });

  it.each([
    ['does not exist', () => join(folder, 'nothing')],
    ['is empty', () => written('')],
    ['has two lines', () => written('one passphrase here\nand another')],
    ['other users can read', () => written(PASSPHRASE, 0o644)],
    [
      'is a symbolic link',
      () => {
        symlinkSync(written(PASSPHRASE), join(folder, 'link'));
        return join(folder, 'link');
      },
    ],
    ['is a closed descriptor', () => 'fd:987'],
  ])('is not taken from a file that %s, and what it holds is not told', async (_, path) => {
    const error = await source({ TRADE_AGENT_PASSPHRASE_FILE: path() })
      .read('open', 'work')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: LOCKED });
    expect(JSON.stringify(error) + (error as Error).message).not.toContain('passphrase here');
    expect((error as Error).message).not.toContain(PASSPHRASE);
  });

  it('is never taken from the environment itself', async () => {
    const env = { TRADE_AGENT_PASSPHRASE: PASSPHRASE, TRADE_AGENT_PASSPHRASE_FILE: written(PASSPHRASE) };
    const error = await source(env)
      .read('open', 'work')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'usage' });
    expect((error as Error).message).not.toContain(PASSPHRASE);
  });

  it('that nobody can be asked for leaves the store locked', async () => {
    await expect(source({}).read('open', 'work')).rejects.toMatchObject({
      code: LOCKED,
      hint: expect.stringContaining('TRADE_AGENT_PASSPHRASE_FILE'),
    });
  });
});

describe('a credential file under a key file elsewhere', () => {
  const keyFile = () => join(folder, 'usb', 'trade-agent.key');
  const withKey = (key = keyFile()) => openFileStore({ folder, profile: 'work', key: { keyFile: key } });

  it('makes the key at first use, its owner’s alone, and opens with it', async () => {
    await withKey().set({ refresh_token: SECRET });
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(await withKey().get(['refresh_token'])).toEqual({ refresh_token: SECRET });
    expect(existsSync(join(folder, 'credentials-work.key'))).toBe(false);
  });

  it('never replaces a key that is there, also for two profiles at once', async () => {
    const stores = ['one', 'two', 'three'].map((profile) =>
      openFileStore({ folder, profile, key: { keyFile: keyFile() } }),
    );
    await Promise.all(stores.map((store, index) => store.set({ session: `s${index}` })));
    const sessions = await Promise.all(stores.map(async (store) => (await store.get(['session'])).session));
    expect(sessions).toEqual(['s0', 's1', 's2']);
  });

  it('says why the key can’t be made', async () => {
    writeFileSync(join(folder, 'plain'), '');
    await expect(withKey(join(folder, 'plain', 'key')).set({ session: 'x' })).rejects.toMatchObject({
      code: UNAVAILABLE,
      message: expect.stringMatching(/the (credential )?key .*can't be (made|used)/),
    });
  });

  it('tells another key from a damaged file, and a key that is gone from both', async () => {
    await withKey().set({ refresh_token: SECRET });
    const key = readFileSync(keyFile(), 'utf8');
    writeFileSync(keyFile(), `${Buffer.alloc(32, 7).toString('base64')}\n`);
    await expect(withKey().get(['session'])).rejects.toMatchObject(
      unavailable('is not the key of the credential file'),
    );
    rmSync(keyFile());
    await expect(withKey().set({ session: 'x' })).rejects.toMatchObject({
      message: expect.stringContaining('is missing'),
    });
    expect(existsSync(keyFile())).toBe(false);
    writeFileSync(keyFile(), key, { mode: 0o600 });
    expect(await withKey().get(['refresh_token'])).toEqual({ refresh_token: SECRET });
  });

  it.each([
    ['other users can read', () => chmodSync(keyFile(), 0o640), 'other users can read'],
    [
      'is a symbolic link',
      () => {
        writeFileSync(`${keyFile()}.real`, readFileSync(keyFile()), { mode: 0o600 });
        rmSync(keyFile());
        symlinkSync(`${keyFile()}.real`, keyFile());
      },
      'symbolic link',
    ],
    ['is no key', () => writeFileSync(keyFile(), 'nonsense'), 'is damaged'],
  ])('is not opened by a key file that %s', async (_, change, message) => {
    await withKey().set({ refresh_token: SECRET });
    change();
    await expect(withKey().get(['refresh_token'])).rejects.toMatchObject(unavailable(message));
  });
});

it('a private file that must be new never replaces one, and leaves nothing behind', () => {
  const path = join(folder, 'new');
  expect([createPrivateFile(path, 'first'), createPrivateFile(path, 'second')]).toEqual([true, false]);
  expect(readFileSync(path, 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['new']);
});
