import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { dutiesAfter, stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Download, downloadsOf } from '../store/downloads.ts'
import { inTransaction } from '../store/pool.ts'
import { cancelReleaseJobs, saveRecall, saveReleaseEnded } from '../store/release-life.ts'
import { lockRelease } from '../store/releases.ts'
import { type Deps, leafBy } from './deps.ts'

/**
 * The stop button. From this commit on no job of the release can write and no file of it can be asked for; downloads that
 * run are cut by every process within seconds (`ReleaseWatch`). What was taken is listed, and its destruction is due.
 *
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` when it has ended already.
 */
export async function recallRelease(
  deps: Deps,
  caller: Caller,
  recall: { releaseId: string; reason: string },
): Promise<{ endReportDueAt: Date; destructionDueAt: Date; taken: Download[] }> {
  authorize(caller, 'recall-release')
  const { id: accountId } = accountOf(caller)
  return inTransaction(deps.pool, 'recall-release', async (tx) => {
    const release = await lockRelease(tx, recall.releaseId)
    if (!release) throw new Refusal('not-found', 'There is no such release.')
    stateAfter(release.state, 'recall')
    const duties = dutiesAfter('recall', tx.now)
    const end = { from: release.state, to: 'recalled', ...duties } as const
    if (!(await saveReleaseEnded(tx, release.id, end))) throw new Error('a locked release moved')
    await saveRecall(tx, release.id, { accountId, reason: recall.reason })
    const jobs = await cancelReleaseJobs(tx, release.id)
    const taken = await downloadsOf(tx, release.id)
    await appendLeaf(tx, {
      ...leafBy(caller, 'recall-release', release.id),
      project: release.projectId,
      counts: { jobs, downloads: taken.length },
    })
    return { ...duties, taken }
  })
}
