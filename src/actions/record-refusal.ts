import type { Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import type { Deps } from './deps.ts'

/**
 * Writes the leaf of an act that was refused or failed. The trail holds attempts as well as deeds.
 *
 * @param attempt - the act's name, the object's id and, for a refusal, its code; never a value.
 */
export async function recordRefusal(
  deps: Pick<Deps, 'pool'>,
  caller: Caller | { kind: 'service'; name: string; from: string },
  attempt: { action: string; object: string; outcome: 'refused' | 'failed'; note: string },
): Promise<void> {
  await inTransaction(deps.pool, 'record-refusal', async (tx) => {
    await appendLeaf(tx, {
      actor: { kind: caller.kind, name: caller.name },
      from: caller.from,
      ...attempt,
    })
  })
}
