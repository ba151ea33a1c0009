import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CredentialStore, credentialNames } from '../../../src/secrets/credential-store.ts';
import { getOrCreateDatabaseKey } from '../../../src/secrets/database-key.ts';

/** An empty place where credentials are kept, with somebody else's beside. */
export interface OpenedCredentials {
  /** As another process opens it. */
  open(): CredentialStore;
  /** Another profile's, or another person's, in the same place. */
  others(): CredentialStore;
  close(): Promise<void>;
  /** Characters a value may have; as the smallest keychain takes unless said otherwise. */
  readonly longest?: number;
}

/** What every credential store promises. */
export function credentialStoreContract(opening: () => Promise<OpenedCredentials>): void {
  let opened: OpenedCredentials;
  let store: CredentialStore;
  beforeEach(async () => {
    opened = await opening();
    store = opened.open();
  });
  afterEach(() => opened.close());

  const all = async () => await opened.open().get(credentialNames, { fresh: true });
  const nothing = Object.fromEntries(credentialNames.map((name) => [name, undefined]));

  describe('a credential store', () => {
    it('gives back what was stored, also to another process, and nothing for what was not', async () => {
      expect(await all()).toEqual(nothing);
      await store.set({ refresh_token: 'one', session: 'me' });
      await store.set({ refresh_token: 'two ü 🙂' });
      expect(await opened.open().get(['refresh_token', 'dpop_key'])).toEqual({
        refresh_token: 'two ü 🙂',
        dpop_key: undefined,
      });
      expect(await all()).toEqual({ ...nothing, refresh_token: 'two ü 🙂', session: 'me' });
    });

    it('keeps what is somebody else’s apart', async () => {
      const others = opened.others();
      await store.set({ refresh_token: 'mine' });
      expect((await others.get(['refresh_token'])).refresh_token).toBeUndefined();
      await others.set({ refresh_token: 'theirs' });
      await store.delete(['refresh_token']);
      expect((await others.get(['refresh_token'])).refresh_token).toBe('theirs');
    });

    it('writes and removes only while it holds what is expected, all or nothing', async () => {
      await store.set({ refresh_token: 'newer' });
      expect(await store.set({ session: 's', refresh_token: 'mine' }, { refresh_token: 'older' })).toBe(false);
      expect(await store.delete(['refresh_token'], { refresh_token: 'older' })).toBe(false);
      expect(await store.delete(['refresh_token'], { session: 'none' })).toBe(false);
      expect(await all()).toEqual({ ...nothing, refresh_token: 'newer' });
      expect(await store.set({ session: 's' }, { refresh_token: 'newer', session: undefined })).toBe(true);
      expect(await store.set({ session: 't' }, { session: undefined })).toBe(false);
      expect(await store.delete(['session', 'dpop_key'], { session: 's' })).toBe(true);
      expect(await all()).toEqual({ ...nothing, refresh_token: 'newer' });
    });

    it('says of what was never there whether it is as expected', async () => {
      expect(await store.delete(['session'])).toBe(true);
      expect(await store.delete(['session'], { session: undefined })).toBe(true);
      expect(await store.delete(['session'], { session: 's' })).toBe(false);
    });

    it('loses no write when many happen at once', async () => {
      const names = ['session', 'refresh_token', 'access_token', 'dpop_key', 'company_key'] as const;
      await Promise.all(names.map((name) => opened.open().set({ [name]: name })));
      expect(await store.get(names, { fresh: true })).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    });

    it('lets one of many who expect the same write', async () => {
      for (const refresh_token of [undefined, 'first']) {
        if (refresh_token !== undefined) await store.set({ refresh_token });
        const tries = Array.from({ length: 8 }, (_, n) =>
          opened.open().set({ refresh_token: `${refresh_token} ${n}` }, { refresh_token }),
        );
        const wrote = await Promise.all(tries);
        expect(wrote.filter(Boolean)).toHaveLength(1);
        expect((await all()).refresh_token).toBe(`${refresh_token} ${wrote.indexOf(true)}`);
      }
    });

    it('refuses a value that is too long for where it is kept, and writes none of its neighbors', async () => {
      await expect(
        store.set({ session: 's', refresh_token: 'x'.repeat((opened.longest ?? 1200) + 1) }),
      ).rejects.toMatchObject({
        code: 'credential_store_unavailable',
      });
      expect(await all()).toEqual(nothing);
      await store.set({ refresh_token: 'x'.repeat(opened.longest ?? 1200) });
    });

    it('is tried out without a trace', async () => {
      await store.set({ session: 's' });
      await store.probe();
      expect(await all()).toEqual({ ...nothing, session: 's' });
    });

    it('forgets everything, and begins again', async () => {
      await store.set({ session: 's', refresh_token: 'r' });
      await store.erase();
      expect(await all()).toEqual(nothing);
      await opened.open().set({ session: 'new' });
      expect(await all()).toEqual({ ...nothing, session: 'new' });
    });

    it('has one at a time do what is exclusive, each purpose by itself', async () => {
      let inside = 0;
      let most = 0;
      const work = async () => {
        inside += 1;
        most = Math.max(most, inside);
        // What others do meanwhile, they do now.
        await store.get(['session'], { fresh: true });
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 6 }, () => opened.open().exclusively('session', work)));
      expect(most).toBe(1);
      const both = store.exclusively('session', () => opened.open().exclusively('mcp', async () => 'both'));
      expect(await both).toBe('both');
    });

    it('writes within what is exclusive, and gives the lock back however that ends', async () => {
      const failing = store.exclusively('session', async () => {
        await store.set({ refresh_token: 'kept' });
        throw new Error('the provider is gone');
      });
      await expect(failing).rejects.toThrow('the provider is gone');
      const read = async () => (await store.get(['refresh_token'], { fresh: true })).refresh_token;
      expect(await opened.open().exclusively('session', read)).toBe('kept');
    });

    it('lets who waits for a lock be called off', async () => {
      const calledOff = new AbortController();
      await store.exclusively('session', async () => {
        const waiting = opened.open().exclusively('session', async () => 'late', calledOff.signal);
        calledOff.abort(new Error('called off'));
        await expect(waiting).rejects.toThrow('called off');
      });
      expect(await opened.open().exclusively('session', async () => 'free')).toBe('free');
    });

    it('has one database key for all who ask at once and later', async () => {
      const keys = await Promise.all(Array.from({ length: 5 }, () => getOrCreateDatabaseKey(opened.open())));
      expect(keys[0]).toHaveLength(32);
      expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
      expect(await getOrCreateDatabaseKey(opened.open())).toEqual(keys[0]);
    });
  });
}
