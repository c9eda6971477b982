import { appendLeaf } from '../store/audit.ts'
import { liveObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import type { SweepCounts } from '../vault/sweep.ts'
import type { Deps } from './deps.ts'

/** An object younger than this may be of an act that has not committed yet. */
const olderThanMs = 2 * 3_600_000

/**
 * Removes from the vault what the database does not name: uploads that broke off, objects of acts
 * that were undone, and what was ended and not yet removed. A leaf says how many, if any.
 *
 * @param now - of the machine that keeps the vault, for files carry its time.
 */
export async function sweepVault(
  deps: Pick<Deps, 'pool' | 'vault'>,
  now: Date,
): Promise<SweepCounts> {
  const counts = await deps.vault.sweep((ids) => liveObjects(deps.pool, ids), { olderThanMs, now })
  if (counts.orphans + counts.temporaries === 0) return counts
  await inTransaction(deps.pool, 'sweep-vault', (tx) =>
    appendLeaf(tx, {
      actor: { kind: 'service', name: 'api' },
      action: 'sweep-vault',
      object: 'vault',
      outcome: 'done',
      counts,
    }),
  )
  return counts
}
