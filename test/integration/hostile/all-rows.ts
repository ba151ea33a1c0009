import type { HostileWorld } from './hostile-world.ts';
import type { KnownThings } from './known-things.ts';
import type { Row } from './row.ts';
import { certificateChallengeRows } from './rows/certificate-challenges.ts';
import { chatPageRows } from './rows/chat-page.ts';
import { cibaRows } from './rows/ciba.ts';
import { companyRows } from './rows/company.ts';
import { doorRows } from './rows/gateway-door.ts';
import { orderRows } from './rows/gateway-orders.ts';
import { requestRows } from './rows/gateway-requests.ts';
import { mcpRows } from './rows/mcp.ts';
import { messageRows } from './rows/messages.ts';
import { otherPeopleRows } from './rows/other-people.ts';
import { phoneRows } from './rows/phone.ts';
import { requestedRows } from './rows/proposals.ts';
import { provenanceRows } from './rows/provenance.ts';
import { providerRows } from './rows/provider.ts';
import { receiptRows } from './rows/receipts.ts';
import { stateRows } from './rows/states.ts';

/** The whole table, the proposal that it has its owner's phone deny, and what closes the worlds that only rows need. */
export async function allRows(
  hostile: HostileWorld,
  known: KnownThings,
): Promise<{ rows: Row[]; denied: string; close: () => Promise<void> }> {
  const { world, gateway } = hostile;
  const tokens = {
    herOther: await world.token('other-bot', 'alice'),
    bobs: await world.token('helper-bot', 'bob'),
    looks: await world.token('helper-bot', 'alice', { scopes: ['market:read'] }),
  };
  const keys = await fetch(`${gateway}/.well-known/trade-agent-receipt-keys.json`);
  const published = ((await keys.json()) as { keys: { kid: string }[] }).keys[0]?.kid ?? '';
  // Their limits are set one after the other.
  const messages = await messageRows(hostile);
  const { rows: provenance, denied } = await provenanceRows(hostile);
  const [chat, challenges] = await Promise.all([chatPageRows(), certificateChallengeRows()]);
  const rows = [
    ...doorRows(hostile),
    ...requestRows(hostile),
    ...otherPeopleRows(hostile, known),
    ...requestedRows(hostile),
    ...stateRows(hostile, known),
    ...messages,
    ...provenance,
    ...(await cibaRows(hostile)),
    ...(await providerRows(hostile)),
    ...(await companyRows(hostile)),
    ...phoneRows(hostile, known),
    ...chat.rows,
    ...challenges.rows,
    ...mcpRows(hostile, known, tokens),
    ...(await receiptRows(known, published)),
    // Last, as the one order that its owner did approve is in them.
    ...orderRows(hostile),
  ];
  const close = async () => {
    await Promise.all([chat.close(), challenges.close()]);
  };
  return { rows, denied, close };
}
