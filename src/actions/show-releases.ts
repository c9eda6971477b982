import { authorize, type Caller } from '../core/grants.ts'
import { type Download, downloadsOf } from '../store/downloads.ts'
import { listReleases, type ReleaseDuty } from '../store/release-life.ts'
import type { Deps } from './deps.ts'
import { requireRelease } from './show-release.ts'

/** Releases with what is owed after them; only the overdue ones if asked so. @throws {Refusal} `grant-missing`. */
export async function showReleases(
  deps: Pick<Deps, 'pool'>,
  caller: Caller,
  only: { isOverdue: boolean },
): Promise<ReleaseDuty[]> {
  authorize(caller, 'show-releases')
  return listReleases(deps.pool, only)
}

/** Who took what of a release, why, and how it ended. @throws {Refusal} `grant-missing`, `not-found`. */
export async function showDownloads(
  deps: Pick<Deps, 'pool'>,
  caller: Caller,
  releaseId: string,
): Promise<Download[]> {
  authorize(caller, 'show-downloads')
  await requireRelease(deps.pool, releaseId)
  return downloadsOf(deps.pool, releaseId)
}
