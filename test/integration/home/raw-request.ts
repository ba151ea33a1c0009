import { connect } from 'node:net';

/** What came back: the status, where there was an answer, and all of it as text. */
export interface RawAnswer {
  /** Undefined where the connection was closed without an answer. */
  readonly status: number | undefined;
  readonly text: string;
}

/** Milliseconds until an answer that doesn't come is a hang. */
const PATIENCE_MS = 15_000;

/** Sends bytes as they are, says that there are no more, and reads until the other side closes. */
export function sendRaw(address: string, bytes: Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const done = () => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ status: status === undefined ? undefined : Number(status), text });
    };
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      reject(new Error(`no end to the answer: ${JSON.stringify(bytes.subarray(0, 400).toString('latin1'))}`));
    });
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
    socket.on('end', done);
    socket.on('error', done);
    // A refused request may be answered, and the connection closed, before all of it is sent.
    socket.end(bytes);
  });
}

export interface RawRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string | Buffer])[];
  readonly body: Buffer;
}

export function rawBytes({ method, target, headers, body }: RawRequest): Buffer {
  const lines = headers.map(([name, value]) =>
    Buffer.concat([Buffer.from(`${name}: `), Buffer.from(value), Buffer.from('\r\n')]),
  );
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n`, 'latin1');
  return Buffer.concat([head, ...lines, Buffer.from('connection: close\r\n\r\n'), body]);
}
