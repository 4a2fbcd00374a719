// Machines: network namespaces, each with a line to a network for signals and to one for media.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Command } from '../../launch/child.ts';
import { run } from './private-network.ts';

/** The two networks, and what this process has there itself. */
const networks = { signals: '10.77.0', media: '10.77.1' } as const;
type NetworkName = keyof typeof networks;
const networkNames = Object.keys(networks) as NetworkName[];
export const hostAddress = '10.77.0.1';

export interface Rules {
  input?: readonly string[];
  output?: readonly string[];
}

export interface Machine {
  /** On the network for signals. */
  address: string;
  mediaAddress: string;
  /** Starts a program there. */
  wrap(command: Command): Command;
  /** Runs a program there to its end. */
  run(file: string, args: readonly string[]): void;
  /** Ports of UDP that are open there now. */
  udpPorts(): number[];
  /** Replaces the rules of its firewall, as nftables has them. */
  setRules(rules: Rules): void;
  /** What is in front of a command that runs there. */
  readonly prefix: readonly string[];
  close(): void;
}

/** Lays the cables. */
export function layNetworks(): void {
  for (const name of networkNames) {
    run('ip', ['link', 'add', name, 'type', 'bridge']);
    run('ip', ['addr', 'add', `${networks[name]}.1/24`, 'dev', name]);
    run('ip', ['link', 'set', name, 'up']);
  }
}

/** A further address of this process on the network for media. */
export function addHostMediaAddress(last: number): string {
  const address = `${networks.media}.${last}`;
  run('ip', ['addr', 'add', `${address}/24`, 'dev', 'media']);
  return address;
}

/** `last` is the last number of its addresses. */
export async function addMachine(name: string, last: number): Promise<Machine> {
  const holder = await holdNamespace();
  const pid = String(holder.pid);
  const prefix = ['nsenter', `--net=/proc/${pid}/ns/net`];
  const runThere = (file: string, args: readonly string[]) => {
    const [program = '', ...rest] = [...prefix, file, ...args];
    run(program, rest);
  };
  runThere('ip', ['link', 'set', 'lo', 'up']);
  const plugs: string[] = [];
  for (const network of networkNames) {
    const plug = `${name}-${network.slice(0, 3)}`;
    plugs.push(plug);
    const line = ['type', 'veth', 'peer', 'name', network, 'netns', pid];
    run('ip', ['link', 'add', plug, ...line]);
    run('ip', ['link', 'set', plug, 'master', network, 'up']);
    runThere('ip', ['addr', 'add', `${networks[network]}.${last}/24`, 'dev', network]);
    runThere('ip', ['link', 'set', network, 'up']);
  }
  // Browsers take the address that a packet to the whole world would have.
  runThere('ip', ['route', 'add', 'default', 'via', `${networks.media}.1`]);
  return {
    address: `${networks.signals}.${last}`,
    mediaAddress: `${networks.media}.${last}`,
    prefix,
    run: runThere,
    wrap(command) {
      const [file = '', ...args] = prefix;
      return { ...command, file, args: [...args, command.file, ...command.args] };
    },
    udpPorts() {
      // Of its network, whoever has opened them (proc_net(5)).
      const [, ...lines] = readFileSync(`/proc/${pid}/net/udp`, 'utf8').trim().split('\n');
      const locals = lines.map((line) => line.trim().split(/\s+/)[1] ?? '');
      return [...new Set(locals.map((local) => Number.parseInt(local.split(':')[1] ?? '0', 16)))];
    },
    setRules({ input = [], output = [] }) {
      const chain = (hook: string, rules: readonly string[]) =>
        `chain ${hook} { type filter hook ${hook} priority 0; ${rules.map((rule) => `${rule};`).join(' ')} }`;
      runThere('nft', ['flush', 'ruleset']);
      runThere('nft', [
        `table inet proof { ${chain('input', input)}\n${chain('output', output)}\n}`,
      ]);
    },
    close() {
      for (const plug of plugs) run('ip', ['link', 'del', plug]);
      holder.kill();
    },
  };
}

/** A program in a namespace of its own that does nothing and ends with this process. */
async function holdNamespace(): Promise<ChildProcess> {
  const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  // It answers once it is in there.
  holder.stdin.write('ready\n');
  await once(holder.stdout, 'data');
  return holder;
}
