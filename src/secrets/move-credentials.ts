import { TradeAgentError } from '../errors/errors.ts';
import {
  type CredentialName,
  type CredentialStore,
  credentialNames,
  type LockPurpose,
  lockPurposes,
} from './credential-store.ts';

/** In this order. Whoever is killed after one of them finds a working login: the old one before `switched`. */
export type MoveStep = 'locked' | 'copied' | 'verified' | 'switched' | 'erased';

export interface Move {
  readonly from: CredentialStore;
  readonly to: CredentialStore;
  /** The new store as another process opens it, to read back what was written. */
  reopen(): Promise<CredentialStore>;
  /** Makes the new store the profile's, at one blow. */
  switchOver(): Promise<void>;
  readonly onStep?: (step: MoveStep) => void;
  readonly signal?: AbortSignal;
}

/**
 * Moves everything from one store to another: copies, reads it back, switches over, erases the old. Every lock of the
 * profile is held meanwhile, so that no other process renews the session in the store that is being left.
 * @throws {TradeAgentError} `credential_store_…`, `busy`: the old store is then still the profile's, and whole
 */
export async function moveCredentials(move: Move) {
  const { from, to, onStep = () => {} } = move;
  // Before any lock is held: a person may be asked.
  await from.unlock();
  await to.unlock();
  return await holding(from, lockPurposes, move.signal, async () => {
    onStep('locked');
    const values = present(await from.get(credentialNames, { fresh: true }));
    const names = credentialNames.filter((name) => values[name] !== undefined);
    // What an earlier move left there is older than what is here.
    await to.delete(credentialNames.filter((name) => values[name] === undefined));
    if (names.length === 0) await to.probe();
    else await to.set(values);
    onStep('copied');

    const readBack = present(await (await move.reopen()).get(credentialNames, { fresh: true }));
    if (!credentialNames.every((name) => readBack[name] === values[name])) {
      await to.erase().catch(() => {});
      throw new TradeAgentError(
        'credential_store_unavailable',
        'the new store did not return what was put into it',
        { hint: 'Nothing was changed: the credentials are where they were.' },
      );
    }
    onStep('verified');
    move.signal?.throwIfAborted();

    await move.switchOver();
    onStep('switched');
    const leftover = await from.erase().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    if (leftover === undefined) onStep('erased');
    // `leftover`: why the old copy could not be erased; undefined if it is gone.
    return { names, leftover };
  });
}

function present(values: Readonly<Record<CredentialName, string | undefined>>) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<CredentialName, string>
  >;
}

/** Runs `work` under several locks, taken in one order everywhere. */
async function holding<T>(
  store: CredentialStore,
  purposes: readonly LockPurpose[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const [first, ...rest] = purposes;
  if (first === undefined) return await work();
  return await store.exclusively(first, () => holding(store, rest, signal, work), signal);
}
