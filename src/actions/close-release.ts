/**
 * The end of a release's building: the table of persons, the description, the manifest with every file's digest, and the
 * signature over the manifest. From here on everything binds to the manifest's digest.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { catalogueSchema } from '../catalogue/schema.ts'
import { canonicalJson, type Json } from '../core/canonical.ts'
import { dataPackageOf } from '../core/data-package.ts'
import { diagnosisTimeOf, type Policy, policySchema, quasiIdentifierOf } from '../core/policy.ts'
import { manifestOf, type PackageFile, type ReleaseFacts } from '../core/release-manifest.ts'
import { releaseReadme } from '../core/release-readme.ts'
import { stateAfter } from '../core/states.ts'
import { writePersonTable } from '../engine/release-person-table.ts'
import { openSession } from '../engine/session.ts'
import { signDetached } from '../keys/cms.ts'
import { appendLeaf } from '../store/audit.ts'
import { findCohort } from '../store/cohorts.ts'
import { endLease } from '../store/leases.ts'
import { findLinkage } from '../store/linkages.ts'
import { insertObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { insertReleaseFile } from '../store/release-files.ts'
import { type Release, saveReleaseBuilt } from '../store/releases.ts'
import { filesOf } from './build-release-part.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { type Described, descriptionsOf, fileOf } from './describe-release.ts'
import { type FilesBefore, filesBefore, formatOf } from './files-before.ts'
import { lostUtility } from './lost-utility.ts'
import { ringFor } from './ring.ts'
import { openFile, type SealedFile, sealFile } from './sealed-files.ts'

/** A file of the package in scratch, with its rows if it has any. */
type Made = { name: string; path: string; rows: number | null }

/** Closes a release whose parts are all built. */
export async function closeRelease(deps: WorkerDeps, run: JobRun, release: Release): Promise<void> {
  stateAfter(release.state, 'build')
  const policy = policySchema.parse(release.policy)
  const persons =
    policy.microdata === 'none' ? [] : await makePersonTable(deps, run, { release, policy })
  const sealed = await sealAll(deps, run, persons)
  const { tables, counts, reports } = await filesBefore(deps, release)
  const described = await describe(deps, run, { policy, tables, counts, persons: sealed })
  const facts = await factsOf(deps, release, policy)
  const files: PackageFile[] = [
    ...[...tables, ...counts, ...reports, ...sealed.map(packageFile)],
    ...Object.entries(described).map(fileOf),
  ]
  const explained = await explain(deps, run, { release, policy, facts, files })
  const manifest = manifestOf(facts, [...files, ...Object.entries(explained).map(fileOf)])
  const bytes = Buffer.from(`${canonicalJson(manifest)}\n`)
  const texts = await written(run, { ...described, ...explained, ...signed(deps, bytes) })
  sealed.push(...(await sealAll(deps, run, texts))) // All at once: each waits for the disk.
  const manifestSha256 = createHash('sha256').update(bytes).digest()
  await save(deps, run, release, { manifest, manifestSha256, sealed })
}

type Sealed = Made & { file: SealedFile }

async function sealAll(deps: WorkerDeps, run: JobRun, made: Made[]): Promise<Sealed[]> {
  const to = {
    projectId: run.job.projectId,
    kind: 'release-file',
    side: 'data',
    releaseId: run.job.subject['release'] ?? '',
  } as const
  return Promise.all(
    made.map(async (each) => ({ ...each, file: await sealFile(deps, each.path, to) })),
  )
}

async function makePersonTable(
  deps: WorkerDeps,
  run: JobRun,
  { release, policy }: { release: Release; policy: Policy },
): Promise<Made[]> {
  const persons = join(run.scratchDir, 'release-persons.parquet')
  const parquet = join(run.scratchDir, 'persons.parquet')
  const csv = join(run.scratchDir, 'persons.csv')
  const id = release.personsObjectId ?? ''
  await openFile(deps, { id, projectId: run.job.projectId, kind: 'release-persons' }, persons)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  try {
    const place = quasiIdentifierOf(policy, 'persons', 'diagnosis_month')
    const wantsCsv = policy.formats.includes('csv')
    const rows = await writePersonTable(session, {
      persons,
      time: diagnosisTimeOf(policy),
      ...(place >= 0 && { quasiIdentifier: place }),
      parquet,
      ...(wantsCsv && { csv }),
    })
    return filesOf('persons', { parquet, csv }, policy.formats).map((file) => ({ ...file, rows }))
  } finally {
    session.close()
  }
}

async function describe(
  deps: WorkerDeps,
  run: JobRun,
  of: { policy: Policy; persons: Sealed[] } & Pick<FilesBefore, 'tables' | 'counts'>,
): Promise<Record<string, string>> {
  const project = await findProject(deps.pool, run.job.projectId)
  const { report: utility } = await lostUtility(deps.pool, run.job)
  const persons = of.persons.map((each) => ({
    ...packageFile(each),
    rows: each.rows ?? 0,
    format: formatOf(each.name),
  }))
  const document = dataPackageOf({
    policy: of.policy,
    catalogue: catalogueSchema.parse(project?.catalogue),
    files: of.tables,
    counts: of.counts,
    persons,
    escaped: Object.fromEntries(
      Object.entries(utility.tables).map(([table, { rows }]) => [table, rows['escapedCells'] ?? 0]),
    ),
  })
  return {
    'utility-report.json': `${JSON.stringify(utility, null, 2)}\n`,
    'datapackage.json': `${JSON.stringify(document, null, 2)}\n`,
    'README.txt': releaseReadme,
  }
}

/** Codebook, provenance, and what else is said of a package for those who do not know its policy. */
async function explain(
  deps: WorkerDeps,
  run: JobRun,
  of: Omit<Described, 'project' | 'catalogue'>,
): Promise<Record<string, string>> {
  const project = await findProject(deps.pool, run.job.projectId)
  if (!project) throw new Error('a release belongs to a project')
  const catalogue = catalogueSchema.parse(project.catalogue)
  return descriptionsOf(deps, { ...of, project, catalogue })
}

/** The manifest and its signatures: Ed25519, and CMS for those who check with OpenSSL. */
function signed(deps: WorkerDeps, manifest: Buffer): Record<string, string | Buffer> {
  const signature = deps.keyring.sign({ purpose: 'release-signature' }, manifest)
  const cms = deps.releaseSigner && signDetached(deps.releaseSigner, manifest, new Date())
  return {
    'manifest.json': manifest,
    'manifest.json.sig': `${Buffer.from(signature).toString('base64')}\n`,
    ...(cms && { 'manifest.p7s': cms }),
  }
}

function written(run: JobRun, contents: Record<string, string | Buffer>): Promise<Made[]> {
  return Promise.all(
    Object.entries(contents).map(async ([name, content]) => {
      const path = join(run.scratchDir, `package-${name}`)
      await writeFile(path, content, { mode: 0o600 })
      return { name, path, rows: null }
    }),
  )
}

function packageFile({ name, rows, file }: Sealed): PackageFile {
  const sha256 = file.plainSha256.toString('hex')
  return { name, bytes: file.plainBytes, sha256, ...(rows === null ? {} : { rows }) }
}

async function factsOf(deps: WorkerDeps, release: Release, policy: Policy): Promise<ReleaseFacts> {
  const cohort = await findCohort(deps.pool, release.cohortId)
  const linkage = cohort && (await findLinkage(deps.pool, cohort.linkageId))
  if (!linkage?.personsSha256) throw new Error('a cohort rests on a finished linkage')
  return {
    release: release.id,
    project: release.projectId,
    cohort: release.cohortId,
    linkage: linkage.id,
    domain: release.domain,
    kind: policy.type,
    policySha256: Buffer.from(release.policySha256).toString('hex'),
    linkageSha256: Buffer.from(linkage.personsSha256).toString('hex'),
    recipient: release.recipient,
    purpose: release.purpose,
    place: release.place,
    validUntil: release.validUntil?.toISOString() ?? '',
    builtAt: new Date().toISOString(),
  }
}

async function save(
  deps: WorkerDeps,
  { job }: JobRun,
  release: Release,
  built: { manifest: Json; manifestSha256: Buffer; sealed: Sealed[] },
): Promise<void> {
  const counts = { files: built.sealed.length }
  const wake = await inTransaction(deps.pool, 'close-release', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await insertObjects(
      tx,
      built.sealed.map(({ file }) => file.object),
    )
    for (const { name, rows, file } of built.sealed) {
      await insertReleaseFile(tx, {
        releaseId: release.id,
        name,
        objectId: file.object.id,
        bytes: file.plainBytes,
        rows,
        sha256: file.plainSha256,
      })
    }
    const signatureKey = deps.keyring.publicKey({ purpose: 'release-signature' })
    const { told: utility } = await lostUtility(tx, job)
    await saveReleaseBuilt(tx, { ...built, id: release.id, signatureKey, utility })
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'build-release', release.id),
      project: job.projectId,
      counts,
      digests: {
        manifest: built.manifestSha256.toString('hex'),
        policy: Buffer.from(release.policySha256).toString('hex'),
      },
    })
    return parents
  })
  await ringFor(deps, wake)
}
