import { appendLeaf } from '../store/audit.ts'
import { extractionsPastPeriod } from '../store/extractions.ts'
import { endObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import type { Deps } from './deps.ts'

/** Time enough to fetch a list and to send the tables; then nobody needs it. */
const keptDays = 30
const listsAtOnce = 100

/** Destroys lists of serials whose time is over by the database's clock. @returns how many. */
export async function expireExtractions(deps: Pick<Deps, 'pool' | 'vault'>): Promise<number> {
  const ended = await inTransaction(deps.pool, 'expire-extractions', async (tx) => {
    const lists = await extractionsPastPeriod(tx, { days: keptDays, most: listsAtOnce })
    await endObjects(
      tx,
      lists.map(({ objectId }) => objectId),
    )
    for (const [linkageId, own] of Map.groupBy(lists, (list) => list.linkageId)) {
      await appendLeaf(tx, {
        actor: { kind: 'service', name: 'api' },
        action: 'expire-extractions',
        object: linkageId,
        outcome: 'done',
        project: own[0]?.projectId ?? '',
        counts: { lists: own.length },
      })
    }
    return lists
  })
  await Promise.all(ended.map(({ objectId }) => deps.vault.destroy(objectId)))
  return ended.length
}
