import { describe, expect, it } from 'vitest';
import { type ServeOptions, serve } from '../../../src/app/serve.ts';

function serving(parts: Partial<ServeOptions<string>>) {
  const did: string[] = [];
  const ended = serve({
    signal: new AbortController().signal,
    open: async (onClose) => {
      onClose(() => did.push('closed the first part'));
      onClose(() => did.push('closed the second part'));
      return 'a gateway';
    },
    ready: async (served) => void did.push(`${served} serves`),
    ...parts,
  });
  return { did, ended };
}

const closed = ['closed the second part', 'closed the first part'];

describe('what is served until it is stopped', () => {
  it('is closed when the signal aborts, the last part first, and that is no error', async () => {
    const stop = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const { did, ended } = serving({
      signal: stop.signal,
      ready: async () => resolve(),
      done: () => told.then(() => new Promise(() => undefined)),
    });
    await told;
    expect(did).toEqual([]);
    stop.abort(new Error('stopped'));
    await ended;
    expect(did).toEqual(closed);
  });

  it.each<[string, Partial<ServeOptions<string>>]>([
    ['at once where the signal had aborted before', { signal: AbortSignal.abort() }],
    ['when it is done by itself', { done: async () => undefined }],
  ])('is closed %s', async (_, parts) => {
    const { did, ended } = serving(parts);
    await ended;
    expect(did).toEqual(['a gateway serves', ...closed]);
  });

  it('is closed where the one who is told can not be', async () => {
    const { did, ended } = serving({ ready: () => Promise.reject(new Error('no terminal')) });
    await expect(ended).rejects.toThrow('no terminal');
    expect(did).toEqual(closed);
  });

  it('is closed as far as it was opened where a part fails', async () => {
    const { did, ended } = serving({
      open: async (onClose) => {
        onClose(() => did.push('closed the first part'));
        throw new Error('the port is in use');
      },
    });
    await expect(ended).rejects.toThrow('the port');
    expect(did).toEqual(['closed the first part']);
  });

  it('is closed as a whole although a part can’t be, which is reported', async () => {
    const { did, ended } = serving({
      signal: AbortSignal.abort(),
      open: async (onClose) => {
        onClose(() => did.push('closed the first part'));
        onClose(() => Promise.reject(new Error('the second part hangs')));
        onClose(() => did.push('closed the third part'));
        return 'a gateway';
      },
    });
    await expect(ended).rejects.toThrow('the second part hangs');
    expect(did).toEqual(['a gateway serves', 'closed the third part', 'closed the first part']);
  });

  it('is over only once it is closed', async () => {
    const { ended } = serving({
      signal: AbortSignal.abort(),
      open: async (onClose) => {
        onClose(() => Promise.reject(new Error('the journal could not be closed')));
        return 'a gateway';
      },
    });
    await expect(ended).rejects.toThrow('the journal');
  });
});
