import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertJobs } from '../store/jobs.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { findingsOf } from '../store/release-files.ts'
import { lockRelease, type Release, saveReleaseApproved } from '../store/releases.ts'
import { ringFor } from './approve-project.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireManifest } from './record-finding.ts'

/** What the head approves: these bytes, for this recipient, purpose, place and period. */
export type Approval = {
  releaseId: string
  manifestSha256: string
  recipient: string
  purpose: string
  place: string
  validUntil: Date
}

const findingKinds = ['relevance', 'recognisability', 'safety'] as const

/**
 * Approves exactly these bytes for this recipient, purpose, place and period.
 *
 * @returns the job that hands the files to the delivery desk.
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act`, `state-conflict`, `finding-missing`, `manifest-differs`,
 *   `outside-period`.
 */
export async function approveRelease(
  deps: Deps,
  caller: Caller,
  approval: Approval,
): Promise<string> {
  authorize(caller, 'approve-release')
  const head = accountOf(caller)
  const job = deps.randomUuid()
  await inTransaction(deps.pool, 'approve-release', async (tx) => {
    const release = await lockRelease(tx, approval.releaseId)
    if (!release) throw new Refusal('not-found', 'There is no such release.')
    if (release.createdBy === head.id || release.recipientId === head.id) {
      throw new Refusal('own-act', 'Nobody approves a release that they asked for or will receive.')
    }
    stateAfter(release.state, 'approve')
    requireManifest(release, approval.manifestSha256)
    requireSameTerms(release, approval)
    if (approval.validUntil <= tx.now) {
      throw new Refusal('outside-period', 'The period of the release is over.')
    }
    await requireFindings(tx, release)
    await saveReleaseApproved(tx, release.id, head.id)
    const subject = { release: release.id }
    const { projectId } = release
    await insertJobs(tx, [
      { jobId: job, projectId, side: 'data', kind: 'publish-release', subject },
    ])
    await appendLeaf(tx, {
      ...leafBy(caller, 'approve-release', release.id),
      project: release.projectId,
      digests: { manifest: approval.manifestSha256 },
    })
  })
  await ringFor(deps, [{ jobId: job, side: 'data' }])
  return job
}

function requireSameTerms(release: Release, approval: Approval): void {
  const isSame =
    release.recipient === approval.recipient &&
    release.purpose === approval.purpose &&
    release.place === approval.place &&
    release.validUntil?.getTime() === approval.validUntil.getTime()
  if (!isSame) {
    throw new Refusal(
      'manifest-differs',
      'Recipient, purpose, place or period is not the reviewed one.',
    )
  }
}

/** All three questions answered with pass about this manifest, and none with fail. */
async function requireFindings(tx: Tx, release: Release): Promise<void> {
  const findings = (await findingsOf(tx, release.id)).filter(
    (finding) =>
      release.manifestSha256 &&
      Buffer.compare(finding.manifestSha256, release.manifestSha256) === 0,
  )
  const missing = findingKinds.filter(
    (kind) => !findings.some((finding) => finding.kind === kind && finding.verdict === 'pass'),
  )
  if (missing.length > 0 || findings.some((finding) => finding.verdict === 'fail')) {
    throw new Refusal('finding-missing', 'Three passing findings are needed and none that fails.', {
      missing: missing.length,
    })
  }
}
