import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { type FindingKind, requireNoOwnAct, reviewersMax } from '../core/review.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { findingsOf, insertFinding } from '../store/release-files.ts'
import { lockRelease, type Release } from '../store/releases.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireProject } from './show-project.ts'

/** A reviewer's word on one of the three questions of the Enforcement Decree, article 29-3(4). */
export type FindingGiven = {
  releaseId: string
  kind: FindingKind
  verdict: 'pass' | 'fail'
  reason: string
  /** Of the manifest that was reviewed, hex. */
  manifestSha256: string
  /** The reviewer declares to have no interest in the release; one who has some does not review. */
  declaresNoInterest: boolean
}

/**
 * Records a finding about exactly this manifest.
 *
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act`, `state-conflict`, `manifest-differs`, `already-exists`.
 */
export async function recordFinding(
  deps: Deps,
  caller: Caller,
  finding: FindingGiven,
): Promise<void> {
  authorize(caller, 'record-finding')
  const reviewer = accountOf(caller)
  await inTransaction(deps.pool, 'record-finding', async (tx) => {
    const release = await lockRelease(tx, finding.releaseId)
    if (!release) throw new Refusal('not-found', 'There is no such release.')
    requireNoOwnAct(reviewer.id, release, await requireProject(tx, release.projectId))
    if (!finding.declaresNoInterest) {
      throw new Refusal('own-act', 'Who has an interest in a release does not review it.')
    }
    if (release.state !== 'built') {
      throw new Refusal(
        'state-conflict',
        'Only a built release that is not yet approved is reviewed.',
      )
    }
    const manifestSha256 = requireManifest(release, finding.manifestSha256)
    const given = await findingsOf(tx, release.id)
    const reviewers = new Set([...given.map((other) => other.reviewerId), reviewer.id])
    if (reviewers.size > reviewersMax) {
      throw new Refusal('state-conflict', 'Seven people have reviewed the release. More may not.')
    }
    const stored = { ...finding, reviewerId: reviewer.id, manifestSha256 }
    if (!(await insertFinding(tx, stored))) {
      throw new Refusal('already-exists', 'You have given this finding already.')
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'record-finding', release.id),
      project: release.projectId,
      note: `${finding.kind}: ${finding.verdict}`,
      digests: { manifest: finding.manifestSha256 },
    })
  })
}

/** The release's manifest digest, if it is the one given. @throws {Refusal} `manifest-differs`. */
export function requireManifest(release: Release, manifestSha256: string): Buffer {
  const given = Buffer.from(manifestSha256, 'hex')
  if (!release.manifestSha256 || Buffer.compare(given, release.manifestSha256) !== 0) {
    throw new Refusal('manifest-differs', 'This is not the manifest of the release. Look again.')
  }
  return given
}
