// A forwarder as a program, for a machine of the proof: `forward-main.ts <from address> <port> <to address> <port>`.
import { forward } from './forwarder.ts';

const [from = '', fromPort, to = '', toPort] = process.argv.slice(2);
await forward({ address: from, port: Number(fromPort) }, { address: to, port: Number(toPort) });
