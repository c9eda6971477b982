import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import {
  type DestructionCertificate,
  findCertificate,
  saveDestructionJob,
  saveDestructionRequested,
} from '../store/destructions.ts'
import { insertJobs } from '../store/jobs.ts'
import { inTransaction } from '../store/pool.ts'
import { lockRelease, type Release } from '../store/releases.ts'
import { saveReleaseKeysDestroyed } from '../store/sealing-keys.ts'
import { type Deps, leafBy } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'
import { showRelease } from './show-release.ts'

/**
 * Begins the destruction of an ended release: the desk's key for its files is destroyed here and now, the data side
 * destroys the rest and signs. Asked again after a break, it goes on; asked again after that, it gives the same job.
 *
 * @returns the job of the data side.
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` before the release has ended.
 */
export async function requestDestruction(
  deps: Deps,
  caller: Caller,
  releaseId: string,
): Promise<string> {
  authorize(caller, 'request-destruction')
  const { id: accountId } = accountOf(caller)
  // The order is in the trail before the first key is gone.
  await inTransaction(deps.pool, 'request-destruction', async (tx) => {
    const release = await requireEnded(await lockRelease(tx, releaseId))
    if (release.destructionRequestedBy) return
    await saveDestructionRequested(tx, release.id, accountId)
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-destruction', release.id),
      project: release.projectId,
    })
  })
  return destroyDeskKey(deps, caller, releaseId)
}

async function destroyDeskKey(deps: Deps, caller: Caller, releaseId: string): Promise<string> {
  const job = deps.randomUuid()
  const begun = await inTransaction(deps.pool, 'destroy-desk-key', async (tx) => {
    const release = requireEnded(await lockRelease(tx, releaseId))
    if (release.destructionJobId) return release.destructionJobId
    const { projectId, destructionRequestedBy: by } = release
    const project = await requireProject(tx, projectId)
    const ref = { purpose: 'sealing', project: projectId, domain: release.id } as const
    if (deps.keyring.has(ref)) {
      const approvedBy = otherPerson(by ?? '', release, project)
      await deps.keyring.destroyKey(ref, { destroyedBy: by ?? '', approvedBy, now: new Date() })
    }
    const keys = await saveReleaseKeysDestroyed(tx, 'desk', release.id)
    await recordKeyring(tx, { keyring: deps.keyring, side: 'api' })
    const subject = { release: release.id }
    await insertJobs(tx, [
      { jobId: job, projectId, side: 'data', kind: 'destroy-release', subject },
    ])
    await saveDestructionJob(tx, release.id, job)
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-destruction', release.id),
      action: 'destroy-desk-key',
      project: projectId,
      counts: { keys: keys.length, keyringRevision: deps.keyring.revision },
      digests: { keyring: deps.keyring.sha256.toString('hex') },
    })
    return job
  })
  if (begun === job) await ringFor(deps, [{ jobId: job, side: 'data' }])
  return begun
}

/**
 * The second of the two people whom a destruction takes. The period was approved with its end, so who approved it has
 * agreed to what follows; for a release that nobody approved it is one of those who agreed on the project.
 */
export function otherPerson(
  person: string,
  release: Pick<Release, 'approvedBy'>,
  project: { createdBy: string; approvedBy: string | null },
): string {
  const other = [release.approvedBy, project.approvedBy, project.createdBy].find(
    (candidate) => candidate !== null && candidate !== person,
  )
  if (!other) throw new Error('a project was agreed on by two people')
  return other
}

function requireEnded(release: Release | undefined): Release {
  if (!release) throw new Refusal('not-found', 'There is no such release.')
  if (release.destructionJobId === null) stateAfter(release.state, 'destroy')
  return release
}

/** The certificate of a destroyed release, for whoever may see the release. @throws {Refusal} `not-found`. */
export async function showCertificate(
  deps: Deps,
  caller: Caller,
  releaseId: string,
): Promise<DestructionCertificate> {
  await showRelease(deps, caller, releaseId)
  const signed = await findCertificate(deps.pool, releaseId)
  if (!signed) throw new Refusal('not-found', 'The release is not destroyed.')
  return signed
}
