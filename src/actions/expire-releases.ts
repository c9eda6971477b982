import { dutiesAfter, stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import { endLostDownloads } from '../store/downloads.ts'
import { inTransaction } from '../store/pool.ts'
import { cancelReleaseJobs, releasesPastPeriod, saveReleaseEnded } from '../store/release-life.ts'
import { lockRelease } from '../store/releases.ts'
import type { Deps } from './deps.ts'
import { downloadMsMax } from './release-watch.ts'

const releasesAtOnce = 100
const service = { kind: 'service', name: 'api' } as const

/**
 * Ends every release whose period is over by the database's clock. Nothing depends on how often this runs: whoever asks
 * for a file after the period is refused all the same.
 *
 * @returns how many were ended.
 */
export async function expireReleases(deps: Pick<Deps, 'pool'>): Promise<number> {
  let expired = 0
  for (const id of await releasesPastPeriod(deps.pool, releasesAtOnce)) {
    expired += await inTransaction(deps.pool, 'expire-release', async (tx) => {
      const release = await lockRelease(tx, id)
      // Another process, or a recall, was faster.
      const isLeft = release?.state === 'recalled' || release?.state === 'expired'
      if (!release?.validUntil || release.validUntil > tx.now || isLeft) return 0
      if (release.state === 'ended' || release.state === 'destroyed') return 0
      stateAfter(release.state, 'expire')
      const duties = dutiesAfter('expire', tx.now)
      await saveReleaseEnded(tx, id, { from: release.state, to: 'expired', ...duties })
      const jobs = await cancelReleaseJobs(tx, id)
      await appendLeaf(tx, {
        actor: service,
        action: 'expire-release',
        object: id,
        outcome: 'done',
        project: release.projectId,
        counts: { jobs },
      })
      return 1
    })
  }
  return expired
}

/** Records the end of downloads whose process died before it could. */
export async function endDeadDownloads(deps: Pick<Deps, 'pool'>): Promise<number> {
  return inTransaction(deps.pool, 'end-dead-downloads', async (tx) => {
    const lost = await endLostDownloads(tx, 2 * downloadMsMax)
    for (const { id, releaseId, name } of lost) {
      await appendLeaf(tx, {
        actor: service,
        action: 'end-release-file',
        object: `${releaseId}/${name}`,
        outcome: 'failed',
        note: `lost ${id}`,
      })
    }
    return lost.length
  })
}
