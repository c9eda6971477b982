/**
 * A release is built in two runs of one job. The first makes the list of persons with the domain's pseudonyms, measures how
 * recognisable they would be, hides and leaves out as the policy says, and stores a child for every cohort part; the
 * second, when all children have ended, closes the package: its table of persons, its description and its signed manifest.
 */
import { randomInt } from 'node:crypto'
import { type Policy, policySchema } from '../core/policy.ts'
import { appendLeaf } from '../store/audit.ts'
import { type CohortPart, partsOfCohort } from '../store/cohorts.ts'
import { childrenOf, insertJobs, isUnderWay, type NewJob } from '../store/jobs.ts'
import { endLease } from '../store/leases.ts'
import { insertObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { type BegunRelease, lockReleasesBegun } from '../store/release-domains.ts'
import { insertReleaseFile } from '../store/release-files.ts'
import { findRelease, moveRelease, type Release, saveReleasePersons } from '../store/releases.ts'
import { insertSealingKey } from '../store/sealing-keys.ts'
import { closeRelease } from './close-release.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'
import { makeReleasePersons } from './make-release-persons.ts'
import { releaseKeys } from './release-keys.ts'
import { requireNoSerials } from './require-no-serials.ts'
import { ringFor } from './ring.ts'
import { type SealedFile, sealFile } from './sealed-files.ts'

const retryMs = 1_000

/** Builds a release: one of its two runs, whichever is due. */
export async function buildRelease(deps: WorkerDeps, run: JobRun): Promise<void> {
  const release = await findRelease(deps.pool, run.job.subject['release'] ?? '')
  if (!release) throw new Error('a job names a release that does not exist')
  if (!release.personsObjectId) return beginRelease(deps, run, release)
  const children = await childrenOf(deps.pool, run.job.jobId)
  const failed = children.find((child) => child.state !== 'done')
  if (failed) return giveUp(deps, run, release, failed.refusal)
  if (await isBeingCounted(deps, release)) return tryAgain(deps, run)
  await closeRelease(deps, run, release)
}

/** The quality of the linkage goes along with a release, so its counts must be there, or have failed. */
function isBeingCounted({ pool }: WorkerDeps, release: Release): Promise<boolean> {
  const { projectId, cohortId } = release
  return isUnderWay(pool, { projectId, kind: 'count-quality', subject: { cohort: cohortId } })
}

async function tryAgain({ pool }: WorkerDeps, { job }: JobRun): Promise<void> {
  const later = { state: 'queued', delayMs: retryMs, hasOnlyWaited: true } as const
  await inTransaction(pool, 'close-release-later', (tx) => endLease(tx, job, later))
}

/** Records that a release could not be built. */
export async function failRelease(
  deps: WorkerDeps,
  subject: Record<string, string>,
): Promise<void> {
  const id = subject['release'] ?? ''
  await inTransaction(deps.pool, 'fail-release', (tx) => moveRelease(tx, id, 'queued', 'failed'))
}

async function beginRelease(deps: WorkerDeps, run: JobRun, release: Release): Promise<void> {
  const { job } = run
  const project = await findProject(deps.pool, job.projectId)
  if (!project?.approvedBy) throw new Error('a release belongs to an approved project')
  const by = { createdBy: project.createdBy, approvedBy: project.approvedBy, now: new Date() }
  for (const ref of Object.values(releaseKeys(release))) {
    if (!deps.keyring.has(ref)) await deps.keyring.addKey(ref, by)
  }
  await publishSealingKey(deps, release)
  const parts = await partsOfCohort(deps.pool, release.cohortId)
  requireNoSerials(project, release, parts)
  const made = await makeReleasePersons(deps, run, { release, parts })
  const to = { projectId: project.id, side: 'data', releaseId: release.id } as const
  const sealed = await sealFile(deps, made.file, { ...to, kind: 'release-persons' })
  const files: SealedEarly[] = []
  for (const { name, path, rows } of made.files) {
    files.push({ name, rows, ...(await sealFile(deps, path, { ...to, kind: 'release-file' })) })
  }
  const jobs = partJobs(deps, run, policySchema.parse(release.policy), parts)
  const wake = await inTransaction(deps.pool, 'begin-release', async (tx) => {
    const begun = await lockReleasesBegun(tx, project.id)
    const isHeld = (other: BegunRelease): boolean =>
      other.domain === release.domain || (hasCounts(release.policy) && hasCounts(other.policy))
    if (begun.some((other) => isHeld(other) && !made.besides.includes(other.id))) {
      throw new Error('another release was begun meanwhile') // The next attempt is held against it.
    }
    await insertObjects(tx, [sealed.object, ...files.map(({ object }) => object)])
    await saveReleasePersons(tx, {
      id: release.id,
      objectId: sealed.object.id,
      disclosure: made.told,
    })
    for (const file of files) await insertReleaseFile(tx, { releaseId: release.id, ...rowOf(file) })
    await insertJobs(tx, jobs)
    const children = jobs.map(({ jobId, side }) => ({ jobId, side }))
    const parents = await endLease(tx, job, jobs.length > 0 ? { state: 'waiting' } : atOnce)
    await recordKeyring(tx, deps)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'begin-release', release.id),
      project: project.id,
      counts: { ...made.counts, parts: jobs.length },
      digests: {
        keyring: deps.keyring.sha256.toString('hex'),
        disclosureReport: files[0]?.plainSha256.toString('hex') ?? '',
      },
    })
    return [...parents, ...children]
  })
  await ringFor(deps, wake)
}

/** A file of the package that the first run makes. */
type SealedEarly = SealedFile & { name: string; rows: number | null }

function rowOf({ name, rows, object, plainBytes, plainSha256 }: SealedEarly) {
  return { name, rows, objectId: object.id, bytes: plainBytes, sha256: plainSha256 }
}

function hasCounts(policy: unknown): boolean {
  return policySchema.parse(policy).counts !== undefined
}

/** From here on the release's files can be sealed to its own key. */
async function publishSealingKey(deps: WorkerDeps, release: Release): Promise<void> {
  const { sealing } = releaseKeys(release)
  const key = { id: deps.keyring.describe(sealing).id, publicKey: deps.keyring.publicKey(sealing) }
  const { projectId, id: releaseId } = release
  await inTransaction(deps.pool, 'publish-sealing-key', async (tx) => {
    await insertSealingKey(tx, { ...key, side: 'data', projectId, releaseId })
    await recordKeyring(tx, deps)
  })
}

/** A release without parts closes in its next run. */
const atOnce = { state: 'queued', delayMs: 0 } as const

/** A job for every part of the tables that leave. Which file a part becomes is drawn, so that it tells nothing. */
function partJobs(deps: WorkerDeps, run: JobRun, policy: Policy, parts: CohortPart[]): NewJob[] {
  const { job } = run
  const leaving =
    policy.microdata === 'none'
      ? []
      : parts.filter((part) => Object.hasOwn(policy.tables, part.table))
  const numbers = new Map<string, number[]>()
  for (const { table } of leaving) {
    const count = leaving.filter((part) => part.table === table).length
    if (!numbers.has(table)) numbers.set(table, shuffled(count))
  }
  return leaving.map((part) => {
    const number = String((numbers.get(part.table)?.pop() ?? 0) + 1).padStart(5, '0')
    return {
      jobId: deps.randomUuid(),
      projectId: job.projectId,
      parentId: job.jobId,
      side: 'data',
      kind: 'build-release-part',
      subject: {
        release: job.subject['release'] ?? '',
        delivery: part.deliveryId,
        table: part.table,
        number: String(part.number),
        name: `data/${part.table}/part-${number}`,
      },
    }
  })
}

/** The numbers from 0 to count - 1 in an order that nobody can foretell (Fisher and Yates). */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1)
    const [a = 0, b = 0] = [numbers[last], numbers[other]]
    numbers[last] = b
    numbers[other] = a
  }
  return numbers
}

async function giveUp(
  deps: WorkerDeps,
  { job }: JobRun,
  release: Release,
  refusal: { code: string; sentence: string; details: Record<string, string | number> } | null,
): Promise<void> {
  const wake = await inTransaction(deps.pool, 'give-up-release', async (tx) => {
    const why = refusal ?? { code: 'defect', sentence: 'A part could not be built.', details: {} }
    const parents = await endLease(tx, job, { state: 'failed', refusal: why })
    await moveRelease(tx, release.id, 'queued', 'failed')
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'build-release', release.id),
      outcome: 'refused',
      project: job.projectId,
      note: why.code,
    })
    return parents
  })
  await ringFor(deps, wake)
}
