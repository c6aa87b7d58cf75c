/** SHA-256 (FIPS 180-4) piece by piece, for files that do not fit into memory and pages without `crypto.subtle`. */

const BLOCK_BYTES = 64;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the
// first eight (FIPS 180-4, 4.2.2 and 5.3.3). Computed, so that nobody has to compare 72 numbers with the standard.
const [ROUNDS, START] = constants();

export class Sha256 {
  private readonly state = Int32Array.from(START);
  private readonly rest = new Uint8Array(BLOCK_BYTES);
  private readonly words = new Int32Array(64);
  private held = 0;
  private total = 0;

  update(data: Uint8Array): this {
    this.total += data.length;
    let at = 0;
    if (this.held > 0) {
      at = Math.min(BLOCK_BYTES - this.held, data.length);
      this.rest.set(data.subarray(0, at), this.held);
      this.held += at;
      if (this.held < BLOCK_BYTES) return this;
      this.block(this.rest, 0);
      this.held = 0;
    }
    for (; at + BLOCK_BYTES <= data.length; at += BLOCK_BYTES) this.block(data, at);
    this.rest.set(data.subarray(at));
    this.held = data.length - at;
    return this;
  }

  /** Return the digest in hexadecimal. Nothing may be added afterwards. */
  hex(): string {
    const bits = this.total * 8;
    const padding = new Uint8Array((this.held < 56 ? 64 : 128) - this.held);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return hexOf(new Uint8Array(this.state.map(swapped).buffer));
  }

  private block(data: Uint8Array, at: number): void {
    const { state, words } = this;
    for (let t = 0; t < 16; t += 1) {
      const i = at + 4 * t;
      words[t] = (data[i]! << 24) | (data[i + 1]! << 16) | (data[i + 2]! << 8) | data[i + 3]!;
    }
    for (let t = 16; t < 64; t += 1) {
      const x = words[t - 15]!;
      const y = words[t - 2]!;
      const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[t] = (small1 + words[t - 7]! + small0 + words[t - 16]!) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t += 1) {
      const big1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (h + big1 + ((e & f) ^ (~e & g)) + ROUNDS[t]! + words[t]!) | 0;
      const big0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => {
      state[index] = (state[index]! + value) | 0;
    });
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a word the other way round: the standard's words are big-endian, the machine's are not. */
function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function constants(): [Int32Array, Int32Array] {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number += 1) if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return [
    Int32Array.from(primes, (prime) => fraction(prime, 3n)),
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(prime, 2n)),
  ];
}

/** The first 32 bits behind the point of a root, exactly: the whole root of the number moved up by as many bits. */
function fraction(prime: number, degree: bigint): number {
  const moved = BigInt(prime) << (32n * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= moved) low = middle;
    else high = middle - 1n;
  }
  return Number(BigInt.asIntN(32, low));
}
