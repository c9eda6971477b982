/**
 * Making proofs about the trail (RFC 9162 sections 2.1.3.1 and 2.1.4.1).
 *
 * A proof is a list of roots of ranges of leaves. Which ranges is arithmetic (merkle-ranges.ts);
 * their roots come from whoever keeps the leaf hashes. A block of leaves that is whole never
 * changes again, so its root is computed once.
 */
import { Frontier, rootOf } from './merkle.ts'
import { pathRanges, type Range, subproofRanges, wholeSubtrees } from './merkle-ranges.ts'

/**
 * The leaf hashes at positions from `start` up to, not including, `end`; never more than 1,024 at a
 * time are asked for.
 */
export type HashesOf = (
  start: number,
  end: number,
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>

const blockLeaves = 1_024

/**
 * Makes proofs from leaf hashes read in blocks.
 *
 * Remembers the root of every whole block it has read (32 bytes for 1,024 leaves): the first proof
 * reads all leaf hashes once, each later one at most the block of its leaf and the unfinished last
 * one. `hashesOf` must give final leaves only.
 */
export class ProofMaker {
  readonly #hashesOf: HashesOf
  readonly #blockRoots = new Map<number, Uint8Array>()

  constructor(hashesOf: HashesOf) {
    this.#hashesOf = hashesOf
  }

  /** The root of the first `size` leaves. */
  async root(size: number): Promise<Uint8Array> {
    requireAscending([0, size])
    return this.#rootOf({ start: 0, end: size })
  }

  /**
   * The siblings on the way from the leaf at `index` to the root of the first `size` leaves, lowest
   * first.
   *
   * @throws {RangeError} unless 0 <= index < size.
   */
  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    requireAscending([0, index, size - 1])
    return this.#rootsOf(pathRanges(index, { start: 0, end: size }))
  }

  /**
   * What shows that the first `size2` leaves begin with the first `size1`; empty for equal sizes.
   *
   * @throws {RangeError} unless 0 < size1 <= size2: growth from nothing is no claim.
   */
  async consistencyProof(size1: number, size2: number): Promise<Uint8Array[]> {
    requireAscending([1, size1, size2])
    return this.#rootsOf(subproofRanges(size1, { start: 0, end: size2 }, true))
  }

  /**
   * The roots of the whole subtrees by which a tree of `start` leaves grows to one of `end`, in
   * order.
   *
   * @throws {RangeError} unless 0 <= start <= end.
   */
  async subtrees(start: number, end: number): Promise<Uint8Array[]> {
    requireAscending([0, start, end])
    return this.#rootsOf(wholeSubtrees(start, end))
  }

  async #rootsOf(ranges: readonly Range[]): Promise<Uint8Array[]> {
    const roots: Uint8Array[] = []
    for (const range of ranges) roots.push(await this.#rootOf(range))
    return roots
  }

  /**
   * Every range longer than a block starts at a block, because a tree is split at powers of two.
   */
  async #rootOf(range: Range): Promise<Uint8Array> {
    if (range.end - range.start < blockLeaves) return rootOf(await this.#read(range))
    const frontier = new Frontier()
    let start = range.start
    for (; start + blockLeaves <= range.end; start += blockLeaves) {
      frontier.append(await this.#blockRoot(start), blockLeaves)
    }
    for (const each of await this.#read({ start, end: range.end })) frontier.append(each)
    return frontier.root()
  }

  async #blockRoot(start: number): Promise<Uint8Array> {
    const known = this.#blockRoots.get(start)
    if (known !== undefined) return known
    const root = rootOf(await this.#read({ start, end: start + blockLeaves }))
    this.#blockRoots.set(start, root)
    return root
  }

  async #read({ start, end }: Range): Promise<readonly Uint8Array[]> {
    if (start === end) return []
    const hashes = await this.#hashesOf(start, end)
    if (hashes.length !== end - start) throw new Error('leaf hashes are missing from the trail')
    return hashes
  }
}

function requireAscending(positions: readonly number[]): void {
  const isAscending = positions.every(
    (each, i) => Number.isSafeInteger(each) && (i === 0 || each >= (positions[i - 1] ?? 0)),
  )
  if (!isAscending) throw new RangeError('a position lies outside the tree')
}
