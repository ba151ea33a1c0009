import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packCloses, unpackCloses } from '../../../src/store/sql/check-store.ts';

const day = fc.integer({ min: 0, max: 65_535 });
const history = (close: fc.Arbitrary<number>) =>
  fc.array(fc.tuple(day, close), { maxLength: 30 }).map((sessions) => ({
    days: Int32Array.from(sessions, ([at]) => at),
    closes: Float64Array.from(sessions, ([, price]) => price),
  }));
const usual = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const high = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

it('closes come back as they were packed, wherever in its memory a database puts them', () =>
  fc.assert(
    fc.property(fc.oneof(history(usual), history(high)), fc.nat(7), (written, offset) => {
      const { days, closes } = packCloses(written);
      const moved = (data: Buffer) => Buffer.concat([Buffer.alloc(offset), data]).subarray(offset);
      expect(unpackCloses({ days: moved(days), closes: moved(closes) })).toEqual(written);
    }),
  ));

it('a close takes four bytes, of a share of $430,000 and more eight', () => {
  const sizeOf = (units: number) =>
    packCloses({ days: Int32Array.of(20_000), closes: Float64Array.of(units) }).closes.byteLength;
  expect(sizeOf(1_802_500)).toBe(4);
  expect(sizeOf(2 ** 32 - 1)).toBe(4);
  expect(sizeOf(2 ** 32)).toBe(8);
});
