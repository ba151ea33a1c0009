import { Set as AsnSet, type AsnType, Constructed, fromBER, Sequence } from 'asn1js';

/** Why something is no time stamp, or an authority gave none. */
export class NoTimeStamp extends Error {
  override readonly name = 'NoTimeStamp';
}

/** One value, and nothing after it. @throws {NoTimeStamp} */
export function parse(der: Buffer): AsnType {
  const { offset, result } = fromBER(der);
  if (offset !== der.length) throw new NoTimeStamp('it can’t be read');
  return result;
}

/** The members of a SEQUENCE. @throws {NoTimeStamp} */
export function sequenceOf(value: AsnType | undefined): AsnType[] {
  if (value instanceof Sequence) return value.valueBlock.value;
  throw new NoTimeStamp('it can’t be read');
}

/** What a SET, or what stands under a tag of its context, holds. @throws {NoTimeStamp} */
export function inner(value: AsnType | undefined): AsnType[] {
  if (value instanceof AsnSet || value instanceof Constructed) return value.valueBlock.value;
  throw new NoTimeStamp('it can’t be read');
}

/** Whether a value stands under this tag of its context. */
export function contextual(value: AsnType | undefined, tag: number): value is AsnType {
  return value?.idBlock.tagClass === 3 && value.idBlock.tagNumber === tag;
}

/** As it came. */
export function rawOf(value: AsnType): Uint8Array {
  return value.valueBeforeDecodeView;
}
