import { appendLeaf } from '../store/audit.ts'
import { endObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { questionsPastPeriod } from '../store/ticket-cases.ts'
import type { Deps } from './deps.ts'

/** Time enough for somebody to look two records up. */
const keptDays = 30
const listsAtOnce = 100

/**
 * Destroys lists of tickets whose time is over by the database's clock. Who has fetched a list may still answer.
 *
 * @returns how many.
 */
export async function expireQuestions(deps: Pick<Deps, 'pool' | 'vault'>): Promise<number> {
  const ended = await inTransaction(deps.pool, 'expire-questions', async (tx) => {
    const lists = await questionsPastPeriod(tx, { days: keptDays, most: listsAtOnce })
    await endObjects(
      tx,
      lists.map(({ objectId }) => objectId),
    )
    for (const { ticketId, projectId } of lists) {
      await appendLeaf(tx, {
        actor: { kind: 'service', name: 'api' },
        action: 'expire-questions',
        object: ticketId,
        outcome: 'done',
        project: projectId,
      })
    }
    return lists
  })
  await Promise.all(ended.map(({ objectId }) => deps.vault.destroy(objectId)))
  return ended.length
}
