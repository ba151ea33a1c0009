import { z } from 'zod';

const schemes = ['portfolio', 'proposal', 'receipt'] as const;
export type ResourceScheme = (typeof schemes)[number];

/** The account in `portfolio://default`: the owner's default account. */
export const DEFAULT_ACCOUNT = 'default';

interface ResourceName {
  readonly scheme: ResourceScheme;
  /** An account's number or name, or a proposal's ID. */
  readonly name: string;
}

const uriPattern = /^([a-z]+):\/\/([A-Za-z0-9._~%-]{1,192})$/;
const schemeSchema = z.enum(schemes);

/** Parses a resource's URI. Returns undefined for a URI that no resource has. */
export function parseResourceUri(uri: string): ResourceName | undefined {
  const [, scheme, encoded = ''] = uriPattern.exec(uri) ?? [];
  const known = schemeSchema.safeParse(scheme).data;
  if (known === undefined) return undefined;
  try {
    return { scheme: known, name: decodeURIComponent(encoded) };
  } catch {
    return undefined;
  }
}

export function formatResourceUri({ scheme, name }: ResourceName): string {
  return `${scheme}://${encodeURIComponent(name)}`;
}
