import type { PriceHistory } from '../trading/portfolio/price-history.ts';

/** A history as it is stored: two bytes a day, four a close, eight where a price is too high for that. */
export interface PackedCloses {
  readonly days: Buffer;
  readonly closes: Buffer;
}

const HIGHEST = 2 ** 32 - 1;

/**
 * Packs closes as small as they get: an encrypted database takes longer to decrypt a thousand of them than all else that
 * a check reads, and by the byte.
 */
export function packCloses({ days, closes }: PriceHistory): PackedCloses {
  const isNarrow = closes.every((close) => Number.isInteger(close) && close <= HIGHEST);
  return { days: bytes(Uint16Array.from(days)), closes: bytes(isNarrow ? Uint32Array.from(closes) : closes) };
}

export function unpackCloses({ days, closes }: PackedCloses): PriceHistory {
  const count = days.byteLength / Uint16Array.BYTES_PER_ELEMENT;
  const isNarrow = closes.byteLength === count * Uint32Array.BYTES_PER_ELEMENT;
  return {
    days: new Int32Array(new Uint16Array(...aligned(days, Uint16Array.BYTES_PER_ELEMENT))),
    closes: isNarrow
      ? new Float64Array(new Uint32Array(...aligned(closes, Uint32Array.BYTES_PER_ELEMENT)))
      : new Float64Array(...aligned(closes, Float64Array.BYTES_PER_ELEMENT)),
  };
}

function bytes({ buffer, byteOffset, byteLength }: Uint16Array | Uint32Array | Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Numbers must lie at their own alignment: copied where they don't. */
function aligned(
  { buffer, byteOffset, byteLength }: Buffer,
  size: number,
): [ArrayBufferLike, number, number] {
  if (byteOffset % size === 0) return [buffer, byteOffset, byteLength / size];
  return [buffer.slice(byteOffset, byteOffset + byteLength), 0, byteLength / size];
}
