import { z } from 'zod';
import { environments } from './order.ts';

const parts = z.object({ account: z.string(), environment: z.enum(environments) });
const schema = z.lazy(() => z.union([parts, z.object({ draft: parts })]));

/** Which account a proposal's subject is about, and whose money that is; a replacement has it in its draft. */
export function aboutAccount(subject: unknown): z.output<typeof parts> | undefined {
  const about = schema.safeParse(subject).data;
  return about !== undefined && 'draft' in about ? about.draft : about;
}
