import { z } from 'zod';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import {
  type RecordLine,
  type RecordVerdict,
  recordLineSchema,
  recordVerdictSchema,
} from '../../trading/record-line.ts';
import type { GatewayRequests } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

const linesSchema = z.lazy(() => z.object({ lines: z.array(recordLineSchema) }));

/** The gateway's record of what is one's own. */
export interface RecordRequests {
  /** Newest first. */
  record(limit: number): Promise<RecordLine[]>;
  /** Whether all of it is as it was written, by the gateway's own look at its file. */
  verifyRecord(): Promise<RecordVerdict>;
}

export function ofRecord({ read }: GatewayRequests): RecordRequests {
  return {
    record: async (limit) => (await read(`/v1/record?limit=${limit}`, linesSchema, ORDERS_READ)).lines,
    verifyRecord: () => read('/v1/record/verdict', recordVerdictSchema, ORDERS_READ),
  };
}
