import type { InitializeRequest } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createSeals } from '../server/seals.ts';

/** What a client of the 2025 revisions said of itself when it connected, which it says once. */
export type Handshake = InitializeRequest['params'];

/** Seconds; a client that stays longer is asked nothing more. */
const LIFE_S = 24 * 3600;
/** A header that goes with each request. */
const LONGEST = 2_000;

const handshakeSchema = z.object({
  protocolVersion: z.string(),
  capabilities: z.looseObject({ elicitation: z.unknown(), sampling: z.unknown() }).partial(),
  clientInfo: z.object({ name: z.string(), version: z.string() }),
});

/**
 * A handshake as the `Mcp-Session-Id` that the client sends along from then on: sealed and bound to who calls, so that
 * nothing is kept here, and a restart ends no session.
 */
export interface Handshakes {
  /** Undefined for a client that can be asked nothing: it gets no session. */
  seal(params: unknown, caller: string): Promise<string | undefined>;
  /** Undefined for what was not sealed here for this caller: it is served like one that has no session. */
  read(sessionId: string, caller: string): Promise<Handshake | undefined>;
}

export function createHandshakes(): Handshakes {
  const seals = createSeals<Handshake>(LIFE_S);
  return {
    async seal(params, caller) {
      const told = handshakeSchema.safeParse(params).data;
      if (told === undefined) return undefined;
      const { elicitation, sampling } = told.capabilities;
      if (elicitation === undefined && sampling === undefined) return undefined;
      const sealed = await seals.seal(
        { ...told, capabilities: { elicitation, sampling } } as Handshake,
        caller,
      );
      return sealed.length <= LONGEST ? sealed : undefined;
    },
    read: (sessionId, caller) => seals.open(sessionId, caller).catch(() => undefined),
  };
}
