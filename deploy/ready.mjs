// Ends with 0 where a gateway, a server or a worker answers that it is ready, for what starts and stops it: node ready.mjs URL
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';

const [address = ''] = process.argv.slice(2);
// Its certificate is for its name; this asks the machine itself, and believes the answer nothing but whether it is one.
const request = address.startsWith('https:') ? secure : plain;
const asked = request(address, { rejectUnauthorized: false, timeout: 3_000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
asked.once('timeout', () => asked.destroy());
asked.once('error', () => process.exit(1));
asked.end();
