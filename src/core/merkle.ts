/**
 * The hash tree of the trail (RFC 6962 section 2.1, the same as RFC 9162 section 2.1.1) over
 * SHA-256.
 *
 * A leaf is hashed behind a zero byte and a node behind a one, so no node can pass for a leaf. A
 * tree of n leaves splits at the largest power of two below n. Sizes and positions are whole
 * numbers up to 2^53 - 1, so they are halved by division: bit operations would cut them to 32 bits.
 */
import { hash } from 'node:crypto'

/** Bytes of every hash in the tree. */
export const hashBytes = 32

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = sha256(Buffer.alloc(0))

/** SHA-256 of 0x00 and the entry: 32 bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(1 + entry.length)
  prefixed[0] = 0x00
  prefixed.set(entry, 1)
  return sha256(prefixed)
}

/** SHA-256 of 0x01 and the hashes of the left and the right subtree: 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeScratch.set(left, 1)
  nodeScratch.set(right, 1 + hashBytes)
  return sha256(nodeScratch)
}
const nodeScratch = Buffer.alloc(1 + 2 * hashBytes, 0x01)

/** The root of the tree over these leaf hashes, in their order. */
export function rootOf(leafHashes: Iterable<Uint8Array>): Uint8Array {
  const frontier = new Frontier()
  for (const each of leafHashes) frontier.append(each)
  return frontier.root()
}

/**
 * The right edge of a growing tree: the roots of the whole subtrees that its leaves make, largest
 * first, one for each one bit of its size. Enough to append and to give the root, in memory of at
 * most 53 hashes.
 */
export class Frontier {
  #size = 0
  readonly #subtrees: { hash: Uint8Array; leaves: number }[] = []

  /** Leaves appended so far. */
  get size(): number {
    return this.#size
  }

  /**
   * Appends one leaf hash, or the root of a whole subtree of `leaves` leaves.
   *
   * @throws {RangeError} if the hash is not 32 bytes, `leaves` is no power of two, or a subtree of
   * that size cannot start here because the size so far is no multiple of it.
   */
  append(subtreeHash: Uint8Array, leaves = 1): void {
    if (subtreeHash.length !== hashBytes) throw new RangeError('a hash of the tree has 32 bytes')
    if (!Number.isInteger(Math.log2(leaves)) || this.#size % leaves !== 0) {
      throw new RangeError('a whole subtree starts at a multiple of its size, a power of two')
    }
    let merged = { hash: subtreeHash, leaves }
    for (
      let left = this.#subtrees.at(-1);
      left?.leaves === merged.leaves;
      left = this.#subtrees.at(-1)
    ) {
      merged = { hash: nodeHash(left.hash, merged.hash), leaves: left.leaves * 2 }
      this.#subtrees.pop()
    }
    this.#subtrees.push(merged)
    this.#size += leaves
  }

  /** The root over everything appended so far. */
  root(): Uint8Array {
    const last = this.#subtrees.at(-1)
    if (last === undefined) return emptyRoot
    return this.#subtrees
      .slice(0, -1)
      .reduceRight((right, left) => nodeHash(left.hash, right), last.hash)
  }
}

/**
 * By way of text, because Node hands out a hash as text nearly twice as fast as in a buffer of its
 * own.
 */
function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary')
}
