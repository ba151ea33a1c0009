import fc from 'fast-check';
import { describe, it } from 'vitest';
import { forShare, like, text } from './support.ts';
import { jsonReaders } from './targets/json.ts';
import { readsOrRefuses } from './targets/own-errors.ts';
import { wordTargets } from './targets/words.ts';

const share = 0.25 / (Object.keys(wordTargets).length + Object.keys(jsonReaders).length);

describe('any text', () => {
  it.each(Object.entries(wordTargets))('is read or refused as %s', async (_, open) => {
    const target = await open();
    try {
      await fc.assert(
        fc.asyncProperty(text, (some) => readsOrRefuses(() => target.read(some))),
        forShare(share),
      );
    } finally {
      await target.close?.();
    }
  });
});

describe('any JSON', () => {
  it.each(Object.entries(jsonReaders))('is read or refused as %s', async (_, [read, ...sound]) => {
    await fc.assert(
      fc.asyncProperty(like(...sound), (some) => readsOrRefuses(() => read(some))),
      forShare(share),
    );
  });
});
