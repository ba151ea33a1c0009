import { describe, expect, it } from 'vitest';
import { servedUntilStopped } from '../../../src/app/served-until-stopped.ts';

const never = new Promise<void>(() => undefined);

describe('what is served until it is stopped', () => {
  it('is closed when the signal aborts, and that is no error', async () => {
    const stop = new AbortController();
    let closed = false;
    const serving = servedUntilStopped(
      stop.signal,
      async () => {
        closed = true;
      },
      never,
    );
    await Promise.resolve();
    expect(closed).toBe(false);
    stop.abort(new Error('stopped'));
    await serving;
    expect(closed).toBe(true);
  });

  it('is closed at once where the signal had aborted before', async () => {
    let closed = false;
    await servedUntilStopped(AbortSignal.abort(), async () => {
      closed = true;
    });
    expect(closed).toBe(true);
  });

  it('is closed when it is done by itself', async () => {
    let closed = false;
    const close = async () => {
      closed = true;
    };
    await servedUntilStopped(new AbortController().signal, close, Promise.resolve());
    expect(closed).toBe(true);
  });

  it('is over only once it is closed', async () => {
    const failing = async () => {
      throw new Error('the journal could not be closed');
    };
    await expect(servedUntilStopped(AbortSignal.abort(), failing)).rejects.toThrow('the journal');
  });
});
