import { z } from 'zod';

/** Who says when a checkpoint of the record was there. */
export const anchorSchema = z.strictObject({
  /** Address of a time-stamp authority (RFC 3161). Plain HTTP will do: it learns a hash, and its answer is signed. */
  rfc3161: z.url({ protocol: /^https?$/, error: 'must be an address of http or https' }),
  /** Certificates (PEM) that the authority's must lead to: a path, or a name in the folder. Node's own where left out. */
  ca_file: z.string().min(1).optional(),
});
export type AnchorSettings = z.output<typeof anchorSchema>;
