/**
 * Returns the fields that are not `undefined`. An optional property may be left out but must not be `undefined`
 * (`exactOptionalPropertyTypes`), because JSON, digests and strict schemas distinguish the two.
 *
 *     const order = { symbol, ...defined({ limit_price, stop_price }) };
 */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];
type Defined<T> = {
  [K in Optional<T>]?: Exclude<T[K], undefined>;
} & { [K in Exclude<keyof T, Optional<T>>]: T[K] };
