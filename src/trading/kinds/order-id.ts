import { z } from 'zod';

/** The broker's id of an open order of one's own, as a request names it. */
export const orderId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
