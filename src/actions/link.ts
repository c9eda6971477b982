import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { linkRulesSchema } from '../core/passes.ts'
import { type Linked, linkPersons } from '../engine/link.ts'
import { openSession } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { decisionsOfProject } from '../store/cases.ts'
import { endLease } from '../store/leases.ts'
import { failLinkage, type Linkage, newestLinkage, saveTrial } from '../store/linkages.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { openDoubts, openHistory, openTokens } from './open-linkage.ts'
import { publishLinkage } from './publish-linkage.ts'
import { destroyRetiredKeys } from './retire-keys.ts'
import { ringFor } from './ring.ts'
import { type SealedExtraction, sealExtractions } from './seal-extractions.ts'
import { requireLinkage } from './show-linkage.ts'

/**
 * Links the persons of a project on the key side, going on from the key index that its last linkage left. What crosses to
 * the data side is the list of persons, a delivery each the map from serials to places in that list, and which person
 * numbers were given up: no token, no key. Of a trial nothing does, and the next linkage does not know of it.
 */
export async function link(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { projectId } = run.job
  const linkage = await requireLinkage(deps.pool, run.job.subject['linkage'] ?? '')
  const project = await findProject(deps.pool, projectId)
  if (!project) throw new Error('a job names a project that does not exist')
  const deliveries = await openTokens(deps, run, project.epoch)
  run.report({ deliveries: deliveries.length })
  const previous = await newestLinkage(deps.pool, projectId, { withTrials: false })
  const person = { purpose: 'person', project: projectId } as const
  const outDir = join(run.scratchDir, 'linked')
  await mkdir(outDir)
  const history = await openHistory(deps, run, { linkage, previous })
  const doubts = await openDoubts(deps, run)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB * 2, // The one large join of the system; nothing else of this side runs beside it.
    threads: deps.jobThreads,
  })
  const rules = linkRulesSchema.parse(project.rules)
  let linked: Linked
  let extractions: SealedExtraction[] = []
  try {
    linked = await linkPersons(session, {
      deliveries,
      rules,
      epoch: project.epoch,
      ...history,
      doubts,
      verdicts: await decisionsOfProject(deps.pool, projectId),
      personsOf: (tokens) => deps.keyring.macColumn(person, tokens, 16),
      outDir,
      onProgress: (progress) => run.report({ deliveries: deliveries.length, ...progress }),
    })
    if (rules.extraction && !linkage.isTrial) {
      extractions = await sealExtractions(deps, run, { session, deliveries, linked })
    }
  } finally {
    session.close()
  }
  if (linkage.isTrial) await endTrial(deps, run, { linkageId: linkage.id, previous, linked })
  else {
    await publishLinkage(deps, run, {
      linkage,
      project,
      previous,
      linked,
      extractions,
      doubts: doubts.map(({ objectId }) => objectId),
    })
    await destroyRetiredKeys(deps, project)
  }
}

/** Keeps a trial's counts; its persons and maps go with the job's scratch. */
async function endTrial(
  deps: WorkerDeps,
  { job }: JobRun,
  made: { linkageId: string; previous: Linkage | undefined; linked: Linked },
): Promise<void> {
  const { linkageId, previous } = made
  const { persons, report } = made.linked
  const counts = { persons, deliveries: report.deliveries.length }
  const wake = await inTransaction(deps.pool, 'link-for-trial', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await saveTrial(tx, { id: linkageId, previousId: previous?.id ?? null, persons, report })
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'link', linkageId),
      project: job.projectId,
      counts,
      note: 'trial',
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** Records that a linkage could not be made. */
export async function failLink(deps: WorkerDeps, subject: Record<string, string>): Promise<void> {
  await inTransaction(deps.pool, 'fail-link', (tx) => failLinkage(tx, subject['linkage'] ?? ''))
}
