// Ends with 0 where a gateway answers that it is ready, for what starts and stops it: node ready.mjs URL
import { request } from 'node:https';

const [address = ''] = process.argv.slice(2);
// Its certificate is for its name; this asks the machine itself, and believes the answer nothing but whether it is one.
const asked = request(address, { rejectUnauthorized: false, timeout: 3_000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
asked.once('timeout', () => asked.destroy());
asked.once('error', () => process.exit(1));
asked.end();
