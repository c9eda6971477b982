/**
 * What a witness makes of a checkpoint that it is shown. It remembers the heads it has cosigned and cosigns only one that
 * continues the last of them; a log that shows another history loses its witness, and the two signed heads show everybody
 * what it did.
 */
import type { Checkpoint } from './checkpoint.ts'
import { Refusal } from './errors.ts'
import { verifyConsistency } from './merkle-verify.ts'

/** Gives the proof that the log's first `size2` leaves begin with its first `size1`: RFC 6962. */
export type ProofOf = (size1: number, size2: number) => Promise<readonly Uint8Array[]>

/**
 * Lets a checkpoint pass that continues the last of these.
 *
 * @param seen - what was cosigned before, oldest first; none at first, when any history is taken as it is.
 * @throws {Refusal} `history-differs` with the leaves between which the histories part, as far as the checkpoints that were
 *   seen can tell; `input-malformed` for a checkpoint of another log.
 */
export async function requireContinuation(
  seen: readonly Checkpoint[],
  shown: Checkpoint,
  proofOf: ProofOf,
): Promise<void> {
  const last = seen.at(-1)
  if (last === undefined) return
  if (last.origin !== shown.origin) {
    throw new Refusal('input-malformed', 'This is a checkpoint of another log.')
  }
  if (await continues(last, shown, proofOf)) return
  const shared = await lastShared(seen.slice(0, -1), shown, proofOf)
  throw new Refusal(
    'history-differs',
    shown.size < last.size
      ? 'THE LOG IS SHORTER THAN IT WAS: leaves that were cosigned are gone. Nothing was cosigned.'
      : 'THE LOG SHOWS TWO HISTORIES: leaves that were cosigned are others now. Nothing was cosigned.',
    { firstLeaf: shared, lastLeaf: last.size - 1, sizeSeen: last.size, sizeShown: shown.size },
  )
}

async function continues(older: Checkpoint, shown: Checkpoint, proofOf: ProofOf): Promise<boolean> {
  if (shown.size < older.size) return false
  if (older.size === 0) return true // Nothing was seen that could have changed.
  const proof = shown.size === older.size ? [] : await proofOf(older.size, shown.size)
  const [size1, size2] = [older.size, shown.size]
  return verifyConsistency({ size1, size2, root1: older.root, root2: shown.root, proof })
}

/** The size of the newest of the older checkpoints that the shown one does continue: up to there nothing was changed. */
async function lastShared(
  seen: readonly Checkpoint[],
  shown: Checkpoint,
  proofOf: ProofOf,
): Promise<number> {
  for (const older of seen.toReversed()) {
    // A log that was caught need not answer any more; what it does not prove counts as changed.
    if (await continues(older, shown, proofOf).catch(() => false)) return older.size
  }
  return 0
}
