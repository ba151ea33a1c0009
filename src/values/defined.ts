/**
 * Returns the fields that have a value. An optional property may be left out but not be `undefined`
 * (`exactOptionalPropertyTypes`), since JSON, digests and strict schemas tell the two apart.
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
