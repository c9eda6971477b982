/**
 * The signer: it re-reads the bytes of every leaf, hashes them itself and signs the root. It trusts
 * neither the stored hashes nor what it signed before.
 */
import { checkpointText } from '../core/checkpoint.ts'
import { Frontier, leafHash } from '../core/merkle.ts'
import { signNote } from '../core/signed-note.ts'
import { verifierKeyOf } from '../core/verifier-key.ts'
import type { Keyring } from '../keys/keyring.ts'
import { insertCheckpoint, latestCheckpoint } from '../store/checkpoints.ts'
import { leafEntries, trailSize } from '../store/leaves.ts'
import { inTransaction, type Pool } from '../store/pool.ts'

const leavesAtOnce = 2_000

export type SignerDeps = { pool: Pool; keyring: Keyring; origin: string }

/**
 * Publishes a checkpoint over all leaves if there are new ones. Returns its size, or undefined if
 * there were none.
 */
export type Signer = { publish: () => Promise<number | undefined> }

/**
 * Makes the signer of one log. Its first publication reads the whole trail; each later one only
 * what is new.
 *
 * `publish` throws, and signs nothing, when the leaves no longer give the root of the newest
 * checkpoint, or are fewer than were seen: somebody changed history.
 */
export function createSigner(deps: SignerDeps): Signer {
  let frontier = new Frontier()
  return {
    publish: async () => {
      const newest = await latestCheckpoint(deps.pool)
      const size = await trailSize(deps.pool)
      if (size < Math.max(frontier.size, newest?.size ?? 0)) {
        throw new Error('the trail is shorter than it was: leaves were cut off')
      }
      if (newest && newest.size > frontier.size) {
        await readUpTo(deps.pool, frontier, newest.size)
        if (Buffer.compare(frontier.root(), newest.root) !== 0) {
          frontier = new Frontier() // Or the next call would take these leaves for checked.
          throw new Error('the leaves do not give the root that was signed: the trail was changed')
        }
      }
      if (size === (newest?.size ?? 0)) return undefined
      await readUpTo(deps.pool, frontier, size)
      return publishRoot(deps, frontier)
    },
  }
}

async function readUpTo(pool: Pool, frontier: Frontier, size: number): Promise<void> {
  while (frontier.size < size) {
    const limit = Math.min(leavesAtOnce, size - frontier.size)
    const entries = await leafEntries(pool, frontier.size, limit)
    if (entries.length === 0) throw new Error('the trail is shorter than its head says')
    for (const entry of entries) frontier.append(leafHash(entry))
  }
}

async function publishRoot(deps: SignerDeps, frontier: Frontier): Promise<number> {
  const { size } = frontier
  const root = frontier.root()
  const publicKey = deps.keyring.publicKey({ purpose: 'audit' })
  const text = checkpointText({ origin: deps.origin, size, root })
  const sign = (bytes: Uint8Array): Uint8Array => deps.keyring.sign({ purpose: 'audit' }, bytes)
  const note = signNote(text, deps.origin, sign, publicKey)
  const verifierKey = verifierKeyOf(deps.origin, publicKey)
  await inTransaction(deps.pool, 'publish-checkpoint', (tx) =>
    insertCheckpoint(tx, { size, root, note, verifierKey }),
  )
  return size
}
