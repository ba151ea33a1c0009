import * as client from 'openid-client';
import { pairByHttp } from '../../integration/home/http-browser.ts';
import { letIn, publicClient } from '../../integration/home/public-client.ts';
import { RpcError, rpc, tasksExtension } from '../../integration/mcp/rpc.ts';
import type { CrashWorld } from '../crash-world.ts';

/** How a client waits for the person: by a task, or by the answer being held and `check_approval`. */
export type Waits = 'task' | 'hold';

/** What one of its looks told. */
export interface Told {
  readonly proposalId: string;
  /** `working` of a task is `pending`. */
  readonly status: string;
}

export interface ForeignClient {
  /** Places an order under a request id; undefined where the answer never came. */
  place(id: string, order: object, waits: Waits, gone: AbortSignal): Promise<Told | undefined>;
  look(proposalId: string, waits: Waits): Promise<Told>;
}

const signedIn = new WeakMap<CrashWorld, Promise<string>>();

/** Somebody else's agent, let in once in each world by Alice's passkey. */
export async function foreignClient(world: CrashWorld): Promise<ForeignClient> {
  const token = signedIn.get(world) ?? signIn(world);
  signedIn.set(world, token);
  const at = { url: `${world.address}/mcp`, token: await token };
  const send = (waits: Waits, method: string, params: object, id?: string, gone?: AbortSignal) =>
    rpc(
      { ...at, capabilities: waits === 'task' ? tasksExtension : {}, ...(gone && { signal: gone }) },
      method,
      { ...params },
      id,
    );
  return {
    async place(id, order, waits, gone) {
      try {
        return toldBy(await send(waits, 'tools/call', { name: 'place_order', arguments: order }, id, gone));
      } catch (error) {
        // The connection broke; what it says itself would be an answer.
        if (error instanceof RpcError) throw error;
        return undefined;
      }
    },
    look: async (proposalId, waits) =>
      toldBy(
        waits === 'task'
          ? await send(waits, 'tasks/get', { taskId: proposalId })
          : await send(waits, 'tools/call', {
              name: 'check_approval',
              arguments: { proposal_id: proposalId, wait_seconds: 1 },
            }),
      ),
  };
}

type Facts = { status: string; proposal_id: string; error?: string; message?: string };

function toldBy(answer: Record<string, unknown>): Told {
  const { taskId, status } = answer as { taskId?: string; status?: string };
  const facts = (answer.structuredContent ??
    (answer.result as Record<string, unknown> | undefined)?.structuredContent) as Facts | undefined;
  if (facts === undefined)
    return { proposalId: String(taskId), status: status === 'working' ? 'pending' : String(status) };
  if (facts.status === 'error') throw new Error(`${facts.error}: ${facts.message}`);
  return {
    proposalId: taskId ?? facts.proposal_id,
    status: facts.status === 'pending_approval' ? 'pending' : facts.status,
  };
}

async function signIn(world: CrashWorld): Promise<string> {
  const { browser } = await pairByHttp((await world.phone.pairing('alice')).url);
  const discover = (id: string, metadata?: Partial<client.ClientMetadata>, auth?: client.ClientAuth) =>
    client.discovery(new URL(world.address), id, metadata, auth, { execute: [client.allowInsecureRequests] });
  const program = await publicClient({ issuer: world.address, discover });
  const resource = `${world.address}/mcp`;
  const back = await letIn(browser, program.url({ resource }));
  return (await program.redeem(back, { resource })).access_token;
}
