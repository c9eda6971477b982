import type { Checkpoint } from './checkpoint.ts'
import { Frontier } from './merkle.ts'
import { wholeSubtrees } from './merkle-ranges.ts'

/** Takes down a problem: where in the trail, and a fixed sentence. */
export type TellProblem = (where: string, sentence: string) => void

const otherLeaves =
  'These are not the leaves that were signed: one or more were edited, exchanged or replaced.'
const otherNumber =
  'The signed checkpoint counts another number of leaves: some were dropped or inserted here.'

/**
 * The roots of a trail while its leaves pass: compares them with those that were signed.
 *
 * Once a root differs or a leaf is missing no later root can be right, so the first such place is
 * told and nothing after it: between the last signed root that fitted and this one.
 */
export class TrailRoots {
  readonly #tell: TellProblem
  /** The checkpoint the auditor kept, until it was compared. */
  #older: Checkpoint | undefined
  /** Leaves before this one are known to be the ones that were signed. */
  #signedUpTo = 0
  #frontier: Frontier | undefined = new Frontier()

  constructor(tell: TellProblem, older: Checkpoint | undefined) {
    this.#tell = tell
    this.#older = older
    this.#compareOlder()
  }

  /**
   * Appends the roots of the whole subtrees from leaf `start` to leaf `end`, for leaves not in the
   * export.
   */
  appendSubtrees(start: number, end: number, hashes: readonly Uint8Array[]): void {
    const ranges = wholeSubtrees(start, end)
    if (this.#frontier === undefined) return
    if (this.#frontier.size !== start) {
      this.#lost(this.#frontier.size - 1, otherNumber)
    } else if (ranges.length !== hashes.length) {
      this.#lost(end - 1, 'The roots that stand for leaves outside this export are not whole.')
    }
    for (const [i, { start: from, end: to }] of ranges.entries()) {
      const hash = hashes[i]
      if (hash !== undefined) this.append(hash, to - from)
    }
  }

  /** Appends a leaf hash, or the root of a whole subtree. */
  append(hash: Uint8Array, leaves = 1): void {
    this.#frontier?.append(hash, leaves)
    if (this.#frontier?.size === this.#older?.size) this.#compareOlder()
  }

  /** Says that leaves are missing or stand elsewhere, so no root can be made from here on. */
  lose(): void {
    this.#frontier = undefined
  }

  /**
   * Whether the leaves so far make the root of this signed checkpoint. Tells the place when they do
   * not.
   */
  fits(signed: Checkpoint): boolean {
    if (this.#frontier === undefined) return false
    const isCounted = this.#frontier.size === signed.size
    if (isCounted && Buffer.compare(this.#frontier.root(), signed.root) === 0) {
      this.#signedUpTo = signed.size
      return true
    }
    this.#lost(
      Math.max(signed.size, this.#frontier.size) - 1,
      isCounted ? otherLeaves : otherNumber,
    )
    return false
  }

  /**
   * Tells when the older checkpoint was never met. `size` is that of the newest checkpoint, 0 if
   * none was reached.
   */
  finish(size: number): void {
    if (this.#older === undefined || this.#frontier === undefined) return
    this.#tell(
      'older checkpoint',
      this.#older.size > size
        ? 'The trail is shorter than it was at the older checkpoint: leaves were cut off.'
        : 'The export does not pass the older checkpoint. Export from its size or an earlier leaf.',
    )
  }

  #lost(last: number, sentence: string): void {
    this.lose()
    this.#tell(leavesBetween(this.#signedUpTo, last), sentence)
  }

  #compareOlder(): void {
    const older = this.#older
    if (older === undefined || this.#frontier?.size !== older.size) return
    this.#older = undefined
    if (Buffer.compare(this.#frontier.root(), older.root) === 0) {
      this.#signedUpTo = older.size
      return
    }
    this.#tell(
      leavesBetween(0, older.size - 1), // Later checkpoints that fit may be of the other history.
      'These are not the leaves of the older checkpoint: history was rewritten, or two were shown.',
    )
  }
}

/** The place of one leaf or of several. */
export function leavesBetween(first: number, last: number): string {
  return first >= last ? `leaf ${last}` : `leaves ${first} to ${last}`
}
