import { credentialStoreContract } from '../../contract/secrets/credential-store.ts';
import { LONGEST, memoryCredentials } from './memory-credentials.ts';

credentialStoreContract(async () => {
  const of = memoryCredentials();
  return { open: () => of('alice'), others: () => of('bob'), close: async () => undefined, longest: LONGEST };
});
