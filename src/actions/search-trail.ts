import { authorize, type Caller } from '../core/grants.ts'
import { appendLeaf, type Leaf, type LeafSearch, searchLeaves } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'

/**
 * Leaves of the trail that match, in order. Auditors' reads are leaves too: this one is written first.
 *
 * @throws {Refusal} `grant-missing`.
 */
export async function searchTrail(deps: Deps, caller: Caller, search: LeafSearch): Promise<Leaf[]> {
  authorize(caller, 'search-trail')
  return inTransaction(deps.pool, 'search-trail', async (tx) => {
    const leaves = await searchLeaves(tx, search)
    await appendLeaf(tx, {
      ...leafBy(caller, 'search-trail', search.project ?? 'all'),
      counts: { leaves: leaves.length, after: search.after ?? -1 },
    })
    return leaves
  })
}
