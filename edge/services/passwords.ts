// Passwords: Argon2id (RFC 9106) in WebAssembly, kept as PHC strings.
import setupWasm from 'argon2id/lib/setup.js';
import { assert } from '#contract';
import { fromBase64 } from './secrets.ts';

interface Cost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
const presentCost: Cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
const tagBytes = 32;
const saltBytes = 16;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** With null instead of a hash it takes as long and is false: an unknown user must not be told apart. */
  verify(password: string, hash: string | null): Promise<boolean>;
}

/** Each runtime brings the WebAssembly module its own way: statically imported, or read from a file. */
export interface Argon2Modules {
  simd: WebAssembly.Module;
  noSimd: WebAssembly.Module;
}

export async function createPasswordHasher(modules: Argon2Modules): Promise<PasswordHasher> {
  const instantiate = (module: WebAssembly.Module) => async (imports: WebAssembly.Imports) => ({
    instance: await WebAssembly.instantiate(module, imports),
    module,
  });
  const argon2id = await setupWasm(instantiate(modules.simd), instantiate(modules.noSimd));

  function derive(
    password: Uint8Array,
    salt: Uint8Array,
    cost: Cost,
    tagLength: number,
  ): Uint8Array {
    return argon2id({
      password,
      salt,
      parallelism: cost.lanes,
      passes: cost.passes,
      memorySize: cost.memoryKib,
      tagLength,
    });
  }

  return {
    async hash(password) {
      const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
      const bytes = bytesOf(password);
      assert(bytes.length >= hashedBytesMin, 'a password that can be hashed');
      return encodePhc(presentCost, salt, derive(bytes, salt, presentCost, tagBytes));
    },
    async verify(password, hash) {
      const { cost, salt, tag } = hash ? decodePhc(hash) : decoy;
      const bytes = bytesOf(password);
      const isTooShort = bytes.length < hashedBytesMin;
      const derived = derive(isTooShort ? decoy.salt : bytes, salt, cost, tag.length);
      let difference = derived.length ^ tag.length;
      for (let index = 0; index < tag.length; index += 1) {
        difference |= (derived[index] ?? 0) ^ (tag[index] ?? 0);
      }
      return difference === 0 && hash !== null && !isTooShort;
    },
  };
}

/** The library takes a single byte for a length, and may refuse it. Nobody's password is that short. */
const hashedBytesMin = 2;

const bytesOf = (password: string) => new TextEncoder().encode(password.normalize('NFKC'));

const decoy = {
  cost: presentCost,
  salt: new Uint8Array(saltBytes),
  tag: new Uint8Array(tagBytes),
};

function encodePhc(cost: Cost, salt: Uint8Array, tag: Uint8Array): string {
  const parameters = `m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}`;
  return `$argon2id$v=19$${parameters}$${unpaddedBase64(salt)}$${unpaddedBase64(tag)}`;
}

/** A hash brings the cost it was made with, so that the cost can be raised without locking anybody out. */
function decodePhc(text: string): { cost: Cost; salt: Uint8Array; tag: Uint8Array } {
  const [, name, version, parameters, salt, tag] = text.split('$');
  assert(name === 'argon2id' && version === 'v=19' && salt && tag, 'a password hash of ours');
  const [, memory, time, parallel] = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(parameters ?? '') ?? [];
  assert(memory && time && parallel, 'parameters of a password hash');
  return {
    cost: { memoryKib: Number(memory), passes: Number(time), lanes: Number(parallel) },
    salt: fromBase64(salt),
    tag: fromBase64(tag),
  };
}

function unpaddedBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, '');
}
